"""Hook of MkDocs: pages may link to files of the repository that lie outside docs/.

A page of docs/ links to them as it lies there, such as `../benchmarks/SPEED.md`, so that the links
work wherever the repository is shown. On the site, the files that are linked to lie beside the
pages.
"""

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

DOCS = "docs/"
LINK = re.compile(r"(?<=\]\()[^)\s#:]+(?=[)#])|(?<=\]: )[^\s#:]+(?=$|#)", re.MULTILINE)
"""Where a link of Markdown leads, in the repository or on the web, up to a `#`."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that pages link to, and those that these link to."""
    root = Path(config.docs_dir).parent
    todo = [f"{DOCS}{page.src_uri}" for page in files.documentation_pages()]
    while todo:
        page = todo.pop()
        for link in LINK.findall((root / page).read_text(encoding="utf8")):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
            outside = not path.startswith((DOCS, "../")) and (root / path).is_file()
            if outside and files.get_file_from_path(path) is None:
                source = os.fspath(root / path)
                level = InclusionLevel.NOT_IN_NAV
                files.append(File.generated(config, path, abs_src_path=source, inclusion=level))
                todo += [path] if path.endswith(".md") else []
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where the files lie on the site."""
    uri = page.file.src_uri
    in_docs = (Path(config.docs_dir) / uri).is_file()
    directory = posixpath.dirname(f"{DOCS}{uri}" if in_docs else uri)

    def on_the_site(found: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(directory, found[0]))
        return posixpath.relpath(path.removeprefix(DOCS), posixpath.dirname(uri) or ".")

    return LINK.sub(on_the_site, markdown)
