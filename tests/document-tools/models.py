"""Finds fields of generated models that can hold anything."""

import importlib
import pkgutil
import sys
from typing import Any, get_args

import xieka.models
from pydantic import BaseModel


def holds_anything(annotation: object) -> bool:
    return annotation is Any or any(holds_anything(part) for part in get_args(annotation))


found: list[str] = []
count = 0
for module in pkgutil.iter_modules(xieka.models.__path__):
    loaded = importlib.import_module(f"xieka.models.{module.name}")
    for model in vars(loaded).values():
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == loaded.__name__:
            count += 1
            for name, field in model.model_fields.items():
                # Where a value has one of several types, they are named beside it.
                if name != "actual_instance" and holds_anything(field.annotation):
                    found.append(f"{model.__name__}.{name}: {field.annotation}")

print(count, "models", *found, sep="\n")
sys.exit(1 if found or count == 0 else 0)
