"""What ``judge_exports.py`` and ``train_tiny.py`` share: sets, sources of trainers, child processes."""
