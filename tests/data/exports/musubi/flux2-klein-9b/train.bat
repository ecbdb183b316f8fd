@echo off
rem Start this in the folder of musubi-tuner, with its environment active.
chcp 65001 >nul
python ^
  src/musubi_tuner/flux_2_cache_latents.py ^
  "--dataset_config=/data/exports/ohwx/dataset.toml" ^
  "--vae=/path/to/models/ae.safetensors" ^
  "--model_version=klein-base-9b"
if errorlevel 1 exit /b 1
python ^
  src/musubi_tuner/flux_2_cache_text_encoder_outputs.py ^
  "--dataset_config=/data/exports/ohwx/dataset.toml" ^
  "--text_encoder=/path/to/models/text_encoder/model-00001-of-00004.safetensors" ^
  "--batch_size=1" ^
  "--model_version=klein-base-9b"
if errorlevel 1 exit /b 1
accelerate ^
  launch ^
  "--num_cpu_threads_per_process=1" ^
  "--mixed_precision=bf16" ^
  src/musubi_tuner/flux_2_train_network.py ^
  "--model_version=klein-base-9b" ^
  "--dit=/path/to/models/flux2-klein-base-9b.safetensors" ^
  "--vae=/path/to/models/ae.safetensors" ^
  "--text_encoder=/path/to/models/text_encoder/model-00001-of-00004.safetensors" ^
  "--dataset_config=/data/exports/ohwx/dataset.toml" ^
  --sdpa ^
  "--mixed_precision=bf16" ^
  --fp8_base ^
  --fp8_scaled ^
  "--timestep_sampling=flux2_shift" ^
  "--weighting_scheme=none" ^
  "--optimizer_type=adamw8bit" ^
  "--learning_rate=0.0001" ^
  "--lr_scheduler=constant" ^
  --gradient_checkpointing ^
  "--max_data_loader_n_workers=1" ^
  --persistent_data_loader_workers ^
  "--network_module=networks.lora_flux_2" ^
  "--network_dim=64" ^
  "--network_alpha=64" ^
  "--max_train_steps=2000" ^
  "--save_every_n_steps=250" ^
  "--sample_every_n_steps=250" ^
  --sample_at_first ^
  "--sample_prompts=/data/exports/ohwx/sample_prompts.txt" ^
  "--seed=42" ^
  "--output_dir=/data/exports/ohwx/run" ^
  "--output_name=ohwx" ^
  "--logging_dir=/data/exports/ohwx/run/logs" ^
  "--log_with=tensorboard"
if errorlevel 1 exit /b 1
