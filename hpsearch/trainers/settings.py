"""What backpropagation trainers take beside their optimizer, and the parts it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpsearch.hyperparameters import ParamValue, build, hyperparameter
from hpsearch.learning_rates import POLICIES, LearningRatePolicy
from hpsearch.nn import NETWORKS, Architecture
from hpsearch.trainers.random_streams import RANDOM_STREAMS, RandomStreams


@dataclass(frozen=True)
class BackpropSettings:
    """What every backpropagation trainer takes beside its optimizer's hyperparameters."""

    batch_size: int = hyperparameter(
        32,
        low=1,
        unit="images",
        why="fits the cache; at most the number of training images",
        shared=True,
    )
    dtype: str = hyperparameter(
        "float32",
        choices=("float32", "float64"),
        why="twice as fast; float64 to compare with textbooks",
        shared=True,
    )
    random_streams: str = hyperparameter(
        "spawned",
        choices=tuple(RANDOM_STREAMS),
        why="a separate stream for each training; legacy: the same for all, to compare with "
        "textbook scripts",
    )
    epoch_iterations: int = hyperparameter(
        0,
        low=0,
        unit="mini-batches",
        why="0: an epoch is a pass over the training rows; set it if a pass over a large data set "
        "takes too long between two evaluations, or if a paper counts iterations",
        shared=True,
    )
    learning_rate_policy: str = hyperparameter(
        "constant", parts=POLICIES, why="the textbook's, and one parameter fewer to search"
    )


def network_of(params: Mapping[str, ParamValue]) -> Architecture:
    """The network that `params` describe."""
    return build(NETWORKS[str(params.get("network", "two-layer"))], params)


def policy_of(params: Mapping[str, ParamValue]) -> LearningRatePolicy:
    """The learning-rate policy that `params` describe."""
    name = build(BackpropSettings, params).learning_rate_policy
    return build(POLICIES[name], params)


def streams_of(params: Mapping[str, ParamValue]) -> type[RandomStreams]:
    """The kind of random streams that `params` describe."""
    return RANDOM_STREAMS[build(BackpropSettings, params).random_streams]
