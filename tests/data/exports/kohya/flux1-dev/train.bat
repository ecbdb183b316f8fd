@echo off
rem Start this in the folder of sd-scripts, with its environment active.
chcp 65001 >nul
accelerate ^
  launch ^
  "--num_cpu_threads_per_process=1" ^
  "--mixed_precision=bf16" ^
  flux_train_network.py ^
  "--pretrained_model_name_or_path=/path/to/models/flux1-dev.safetensors" ^
  "--clip_l=/path/to/models/clip_l.safetensors" ^
  "--t5xxl=/path/to/models/t5xxl_fp16.safetensors" ^
  "--ae=/path/to/models/ae.safetensors" ^
  "--dataset_config=/data/exports/ohwx/dataset.toml" ^
  "--output_dir=/data/exports/ohwx/run" ^
  "--output_name=ohwx" ^
  "--save_model_as=safetensors" ^
  "--save_precision=bf16" ^
  "--network_module=networks.lora_flux" ^
  --network_train_unet_only ^
  "--network_dim=64" ^
  "--network_alpha=64" ^
  "--learning_rate=0.0001" ^
  "--optimizer_type=AdamW8bit" ^
  "--lr_scheduler=constant" ^
  --sdpa ^
  "--max_train_steps=2000" ^
  "--save_every_n_steps=250" ^
  "--sample_every_n_steps=250" ^
  --sample_at_first ^
  "--sample_prompts=/data/exports/ohwx/sample_prompts.txt" ^
  "--mixed_precision=bf16" ^
  --gradient_checkpointing ^
  "--guidance_scale=1.0" ^
  "--timestep_sampling=flux_shift" ^
  "--model_prediction_type=raw" ^
  --fp8_base ^
  --cache_text_encoder_outputs ^
  --cache_latents_to_disk ^
  "--t5xxl_max_token_length=512" ^
  "--seed=42" ^
  "--logging_dir=/data/exports/ohwx/run/logs" ^
  "--log_with=tensorboard" ^
  "--max_data_loader_n_workers=1" ^
  --persistent_data_loader_workers
if errorlevel 1 exit /b 1
