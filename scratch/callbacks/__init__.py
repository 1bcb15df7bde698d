"""What may happen between the steps and epochs of a training run, spelled as in Keras."""

from scratch.callbacks.callback import Callback, CallbackList
from scratch.callbacks.csv_logger import CSVLogger
from scratch.callbacks.early_stopping import EarlyStopping
from scratch.callbacks.lambda_callback import LambdaCallback
from scratch.callbacks.learning_rate_scheduler import LearningRateScheduler
from scratch.callbacks.model_checkpoint import ModelCheckpoint
from scratch.callbacks.monitor import MonitorCallback
from scratch.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from scratch.callbacks.swap_ema_weights import SwapEMAWeights

__all__ = ["CSVLogger", "Callback", "CallbackList", "EarlyStopping", "LambdaCallback",
           "LearningRateScheduler", "ModelCheckpoint", "MonitorCallback", "ReduceLROnPlateau",
           "SwapEMAWeights"]
