"""The one version number: of the package, the JSON API and CHANGELOG.md.

The method of the numbers has a version of its own (`biomechanics.definitions`).
docs/upgrading.md says what a step of each part means.
"""

VERSION = "1.0.0"
