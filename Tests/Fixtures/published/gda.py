# GDA: two passes over the images, each with a view of its own.
from common import Source, report
from features import (
    VIEWS, Views, accuracy, clip_model, file, names, numbers, returned, test, test_labels, unit, val, val_labels,
    weights)

source = Source("mrflogs/ICLR24", "c83409b5e3c29d2f49dc44fb8b361add2b49fbba", "main_few_shots.py")
code = source.definitions(["run"], {
    **names, "cls_acc": accuracy, "val_features": unit(val), "val_labels": val_labels, "test_features": unit(test),
    "test_labels": test_labels})
found = returned(code["run"], {"augment_epoch": VIEWS}, Views(), weights, clip_model)
report.add("gda", source, "weight and bias of the classifier", file, [
    (found["W"].T, numbers["gda.weight"]), (found["b"], numbers["gda.bias"])])
report.add("gda", source, "chosen blend", file, [(found["best_alpha"], numbers["gda.blend"])])
report.add("gda", source, "test logits", file, [(found["test_logits"], numbers["gda.test"])])

report.finish()
