"""The training function of own_trainer.toml."""

from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss


def train(params, data, seed, state=None):
    """Yield (scores, state) after every epoch; the state lets a paused trial go on."""
    model = state or SGDClassifier(**params, random_state=seed)

    def scores(x, y):
        """Metrics on validation data; in the final test, once, on the test set."""
        found = {
            "train_accuracy": model.score(data.x_train, data.y_train),
            "validation_accuracy": model.score(x, y),
        }
        if params["loss"] != "hinge":
            p = model.predict_proba(x)
            found["validation_loss"] = log_loss(y, p, labels=model.classes_)
        return found

    while True:
        model.partial_fit(data.x_train, data.y_train, classes=range(data.n_classes))
        yield scores, model
