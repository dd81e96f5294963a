"""The works of the bibliography can be followed: by their DOI, or by their number of arXiv."""

import re

import pytest

# Sphinx and its extensions warn of their own future; a warning about a page is in `site.warnings`.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")

PAGE = """# T

```{eval-rst}
.. [one] A. Author. A title, arXiv:1905.12278. Also arXiv:1412.6980v9.
.. [two] B. Author. `Linked <https://doi.org/10.1/2>`_ and no number: arXiv 2020.
```

Cited [one]_, [two]_: arXiv:2010.01412 in the text stays as it is.
"""


@pytest.fixture
def html(build):
    return build({"index.md": PAGE.replace("[one]_, [two]_", "works")}).html()


def test_a_number_of_arxiv_in_the_list_is_a_link_to_its_doi(html):
    links = re.findall(r'<a class="reference external" href="([^"]+)">([^<]+)</a>', html)
    assert links == [
        ("https://doi.org/10.48550/arXiv.1905.12278", "arXiv:1905.12278"),
        ("https://doi.org/10.48550/arXiv.1412.6980", "arXiv:1412.6980"),
        ("https://doi.org/10.1/2", "Linked"),
    ]
    assert "A title, <a" in html
    assert "v9." in html
