@echo off
rem Start this in examples/dreambooth of diffusers, with its environment active.
chcp 65001 >nul
accelerate ^
  launch ^
  "--mixed_precision=bf16" ^
  train_dreambooth_lora_flux.py ^
  "--pretrained_model_name_or_path=black-forest-labs/FLUX.1-dev" ^
  "--dataset_name=/data/exports/ohwx/dataset-0123456789ab" ^
  "--image_column=image" ^
  "--caption_column=text" ^
  "--instance_prompt=ohwx woman" ^
  "--output_dir=/data/exports/ohwx/run" ^
  "--resolution=1024" ^
  "--max_sequence_length=512" ^
  "--rank=64" ^
  "--lora_alpha=64" ^
  "--learning_rate=0.0001" ^
  "--lr_scheduler=constant" ^
  "--lr_warmup_steps=0" ^
  "--guidance_scale=1" ^
  "--train_batch_size=1" ^
  "--gradient_accumulation_steps=1" ^
  --gradient_checkpointing ^
  --use_8bit_adam ^
  --cache_latents ^
  "--mixed_precision=bf16" ^
  "--max_train_steps=2000" ^
  "--checkpointing_steps=250" ^
  "--validation_prompt=ohwx woman, a photo of a woman." ^
  "--num_validation_images=1" ^
  "--validation_epochs=83" ^
  "--seed=42" ^
  "--report_to=tensorboard" ^
  --center_crop
if errorlevel 1 exit /b 1
