# SPDX-License-Identifier: BSD-2-Clause
"""What modules of the rig say of each other: a name that is not there would be found only by the
command that needs it."""
import ast
import importlib
import types

import pytest

from rig.build import ROOT

MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "rig").rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_names_of_other_modules_are_there(path):
    module = importlib.import_module(".".join(path.with_suffix("").parts))
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            other = getattr(module, node.value.id, None)
            assert not isinstance(other, types.ModuleType) or hasattr(other, node.attr), \
                f"{path}:{node.lineno}: {node.value.id}.{node.attr}"
