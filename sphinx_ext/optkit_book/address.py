"""Where the repository and the published site are: all of it follows from `repository` in _config.yml.

While the address there is empty, the book has no buttons for Binder and Colab, no canonical links and no
sitemap: they would lead nowhere.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

ADDRESS = re.compile(r"https://github\.com/(?P<owner>[\w-]+)/(?P<name>[\w.-]+)")


def parts(repository: str) -> tuple[str, str]:
    """Owner and name of a repository on GitHub.

    Raises:
        ConfigError: The address has another form.
    """
    found = ADDRESS.fullmatch(repository)
    if not found or found["name"].endswith(".git"):
        raise ConfigError(
            "repository: url in _config.yml must be empty or https://github.com/OWNER/NAME,"
            f" without .git or a slash at its end, got {repository!r}"
        )
    return found["owner"], found["name"]


def published(repository: str) -> str:
    """The address at which GitHub publishes the site of a repository; empty for an empty address."""
    if not repository:
        return ""
    owner, name = parts(repository)
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"


def path(base: str) -> str:
    """The path of the site on its host, from its address: `/`, or `/NAME/`."""
    return urlsplit(base).path.rstrip("/") + "/"


def settle(app: Sphinx, config: Config) -> None:
    """Set what depends on the address: canonical links, and whether there are launch buttons."""
    options = config.html_theme_options
    repository = options.get("repository_url") or ""
    config.html_baseurl = config.html_baseurl or published(repository)
    if config.html_baseurl and not config.html_baseurl.endswith("/"):
        config.html_baseurl += "/"
    if not repository and "launch_buttons" in options:
        options["launch_buttons"] = {}
    config.ogp_site_url, config.ogp_site_name = config.html_baseurl, config.html_title
