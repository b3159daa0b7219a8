"""What runs inside the job.

Rules of this folder: standard library and the user's own framework only; nothing here raises into the job; an
undisturbed step may cost a few microseconds in all, so the hot functions are plain and short. It is imported
under the name `_narrows_probe` (see `site/sitecustomize.py`), so all imports here are relative.
"""
