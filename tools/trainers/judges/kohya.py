"""sd-scripts: the command's parser and its checks, the dataset as the trainer builds it, the sample prompts."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = ("easygui",)


def load(source: Path) -> Any:
    sys.path.insert(0, str(source))
    import flux_train_network
    from library import config_util, train_util

    return SimpleNamespace(script=flux_train_network, config=config_util, util=train_util)


def judge(code: Any, job: Job) -> Found:
    parser = code.script.setup_parser()
    args = parser.parse_args(job.arguments()[1])
    code.util.verify_command_line_training_args(args)
    code.util.verify_training_args(args)
    code.util.prepare_dataset_args(args, True)
    trainer = code.script.FluxNetworkTrainer()
    user = code.config.load_user_config(args.dataset_config)
    blueprint = code.config.BlueprintGenerator(
        code.config.ConfigSanitizer(True, True, args.masked_loss, True)
    ).generate(user, args)
    group, validation = code.config.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    trainer.assert_extra_args(args, group, validation)
    found = Found(
        ran=[
            "setup_parser",
            "verify_training_args",
            "ConfigSanitizer",
            "datasets with buckets",
            "assert_extra_args",
            "load_prompts",
        ],
        captions={},
    )
    for dataset in group.datasets:
        for image in dataset.image_data.values():
            found.captions[Path(image.absolute_path).name] = image.caption
    for prompt in code.util.load_prompts(args.sample_prompts):
        if not {"prompt", "width", "height", "seed", "sample_steps", "guidance_scale", "scale"} <= set(prompt):
            found.passed_over.append(f"of a sample prompt only {sorted(prompt)} were understood")
    return found
