"""Policy as it is, and a copy of it to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.policy import FOLDER, Policy, load_policy
from config.settings import Settings, load


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a live site without a file of lines."""
    return load({"TWILIO_AUTH_TOKEN": "f" * 32}, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the policy files, to be spoilt."""
    copy = tmp_path / "config"
    shutil.copytree(FOLDER / "profiles", copy / "profiles")
    for file in FOLDER.glob("*.toml"):
        shutil.copy(file, copy)
    return copy


@pytest.fixture
def policy(settings: Settings) -> Policy:
    """The policy as it is."""
    return load_policy(settings)
