"""The training function of own_trainer.toml."""

from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss


def train(params, data, seed, state=None):
    """Yield ({metric: value}, state) after every epoch; the state lets a paused trial go on."""
    model = state or SGDClassifier(**params, random_state=seed)
    while True:
        model.partial_fit(data.x_train, data.y_train, classes=range(data.n_classes))
        scores = {
            "train_accuracy": model.score(data.x_train, data.y_train),
            "validation_accuracy": model.score(data.x_validation, data.y_validation),
        }
        if params["loss"] != "hinge":
            p = model.predict_proba(data.x_validation)
            scores["validation_loss"] = log_loss(data.y_validation, p, labels=model.classes_)
        yield scores, model
