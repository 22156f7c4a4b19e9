"""A vendor for the machines, on a real port."""

import logging

import pytest

from tests.syncing.model.machine import SyncMachine
from tests.syncing.model.vendor import ModelVendor


@pytest.fixture
def model_vendor(settings):
    with ModelVendor() as vendor:
        settings.REBOOT_BASE_URL = vendor.url
        settings.REBOOT_USERNAME = vendor.app.config.username
        settings.REBOOT_PASSWORD = vendor.app.config.password
        settings.REBOOT_API_KEY = ""
        settings.SYNC_MAX_REQUESTS = 1
        settings.SYNC_PROCESSES = 0
        SyncMachine.vendor = vendor
        logging.disable(logging.CRITICAL)
        yield vendor
        logging.disable(logging.NOTSET)
