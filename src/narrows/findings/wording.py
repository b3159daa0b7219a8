"""What is called what in which framework."""

SETTING = {
    "torch": "OMP_NUM_THREADS, torch.set_num_threads",
    "tensorflow": "tf.config.threading.set_intra_op_parallelism_threads",
}
