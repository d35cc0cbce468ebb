"""Names of options and words in them, by what they are likely to mean."""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Names of options, of which one takes what the study sets; those that come first are preferred.
# A program with total_timesteps may have num_steps too, of a rollout.
EPOCHS = _words(
    """epochs num_epochs n_epochs nepochs nb_epochs max_epochs total_epochs train_epochs
    num_train_epochs training_epochs n_epoch num_epoch epoch max_iter max_iters
    max_iterations n_iter num_iter num_iters iters num_iterations n_iterations iterations
    max_steps num_train_steps max_train_steps train_steps total_steps total_timesteps
    timesteps num_rounds n_rounds num_boost_round rounds num_steps n_steps steps"""
)
SEEDS = _words("""seed random_seed rng_seed manual_seed torch_seed random_state""")
N_FOLDS = _words(
    """folds n_folds num_folds nfolds number_of_folds k_folds kfolds k_fold kfold cv_folds n_splits
    num_splits"""
)
FOLDS = _words("""fold fold_id fold_idx fold_index cv_fold split_index""")
CHECKPOINTS = _words(
    """checkpoint checkpoint_path checkpoint_file checkpoint_dir ckpt ckpt_path ckpt_file
    ckpt_dir"""
)
# These are read alone, and most programs fail where there is nothing to go on from.
RESUMES = _words("""resume_from_checkpoint resume_from resume_path resume resume_checkpoint""")
FOLDERS = _words(
    """output_dir output_folder output_path output out_dir outdir out save_dir save_path
    save_folder results_dir result_dir run_dir exp_dir experiment_dir work_dir workdir
    model_dir default_root_dir log_dir logdir logging_dir tensorboard_dir log_path
    log_file csv log_csv"""
)

# Words of names.
GPUS = frozenset(_words("""accelerator cuda device devices gpu gpus local rank"""))
SECRETS = frozenset(_words("""apikey credentials key password secret token"""))
# How a program runs, not how it learns.
PLUMBING = frozenset(
    _words(
        """amp backend benchmark bf16 cache checkpoint compile cpu data dataset debug
        deterministic dir distributed download dry env eval evaluate every export fold
        folder folds force fp16 freq frequency id inference interval jobs limit log logging
        mlflow mode mps node nodes overwrite path plot port precision predict print proc
        procs profile progress project quiet resume run save saving seed split start task
        tensorboard test thread threads track val valid validation verbose verbosity version
        video wandb worker workers world"""
    )
)
# Sizes that the data gives.
SHAPES = frozenset(_words("""channels classes dims image img in input labels output vocab"""))
# Numbers from 0 to 1, and those of them that are near 1.
SHARES = frozenset(
    _words(
        """beta betas colsample cutmix discount drop dropout droppath ema frac fraction gamma
        mixup mom momentum p prob probability quantile ratio rho smoothing subsample"""
    )
)
NEAR_ONE = frozenset(_words("""beta betas discount ema gamma mom momentum rho"""))
# What is searched by its decades; the usual ends where there is no default.
RATES = frozenset(
    _words(
        """alpha c decay eps epsilon eta l l2reg lambd lambda learningrate lr noise penalty
        rate reg regularization sigma tau temperature tol variance wd"""
    )
)
USUAL: Mapping[str, tuple[float, float]] = {
    "decay": (1e-6, 1e-2),
    "wd": (1e-6, 1e-2),
    "lr": (1e-5, 1e-1),
    "rate": (1e-5, 1e-1),
    "learningrate": (1e-5, 1e-1),
    "l": (1e-6, 1e-1),
    "reg": (1e-6, 1e-1),
}
