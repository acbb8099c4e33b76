"""Configuration of the documentation site; `python -m sphinx -W --keep-going -n docs OUT` builds it."""

import functools
import inspect
import os
import re
from pydoc import locate

import gppcore
import gppcore.demo.towers as demo_towers
from gppcore.variables import VARIABLES

release = gppcore.__version__
project = "gppcore"
author = "gppcore developers"
copyright = "gppcore developers"  # Sphinx reads this name
extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "**.ipynb", "**.ipynb_checkpoints", "examples"]

# Markdown: links and anchors are those that GitHub understands.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
ROOT_PAGES = {
    "README": "getting_started/overview",
    "CHANGELOG": "development/changelog",
    "CODE_OF_CONDUCT": "development/conduct",
    "CONTRIBUTING": "development/contributing",
    "RELEASING": "development/releasing",
    "SECURITY": "development/security",
    "CITATION.cff": "getting_started/cite",
    "LICENSE": "development/licence",
    "NOTICE": "development/licence",
}
"""Pages of the site that include a document of the repository's first folder."""

# Notebooks run at each build; a cell that fails, fails the build.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 600  # seconds of a cell: ten times what the slowest takes alone, for busy machines
nb_execution_in_temp = True
nb_merge_streams = True
nb_output_stderr = "error"  # warnings of a notebook fail the build

# Gallery: every example runs at each build; one that fails, fails the build.
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "min_reported_time": 60,
    "notebook_extensions": set(),
    "show_memory": False,
    "show_signature": False,
    "thumbnail_size": (400, 280),
    "write_computation_times": False,
}

# Reference: one page for each public name, from its docstring.
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc states types in prose
toc_object_entries_show_parents = "hide"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the template of classes does it
templates_path = ["_templates"]

html_theme = "pydata_sphinx_theme"
html_title = f"gppcore {release}"
html_static_path = ["_static"]
html_css_files = ["gppcore.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "gppcore"},
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
html_sidebars = {"index": []}
copybutton_exclude = ".linenos, .gp, .go"


def _relink(text: str) -> str:
    """Point links to documents of the repository's first folder at the pages of the site that include them."""
    for name, page in ROOT_PAGES.items():
        text = re.sub(rf"\]\((?:\.\./)*{name}(?:\.md)?(?=[)#])", f"](/{page}.md", text)
    return text


def _on_source(app, docname, source):  # type: ignore[no-untyped-def]
    source[0] = _relink(source[0])


def _on_include(app, path, docname, content):  # type: ignore[no-untyped-def]
    content[0] = re.sub(r"\]\(docs/", "](/", _relink(content[0]))


def _on_docstring(app, what, name, obj, options, lines):  # type: ignore[no-untyped-def]
    """Link units of quantities to their table, and spell out citations that the docstring of the module holds."""
    quantity = None
    owner = obj if what in ("class", "function") else locate(name.rpartition(".")[0])
    module = inspect.getmodule(owner)
    entries = re.findall(r"^\.\. \[(\d+)\] (.+?) \((\d{4})\)", (module and module.__doc__) or "", re.MULTILINE)
    cited = {number: f"{re.sub(r', [A-Z][.A-Z-]*', '', names)} {year}" for number, names, year in entries}
    own = {number for line in lines for number in re.findall(r"^\.\. \[(\d+)\]", line)}
    for i, line in enumerate(lines):
        for number in set(re.findall(r"\[(\d+)\]_", line)) - own:
            line = line.replace(f"[{number}]_", f"({cited[number]})")
        lines[i] = line
        if found := re.match(r"(\w+) : ", line):
            quantity = VARIABLES.get(found[1])
        if quantity:
            lines[i] = line.replace(f"[{quantity.unit}]", f"[:doc:`{quantity.unit} </nomenclature>`]")


def setup(app):  # type: ignore[no-untyped-def]
    """Register the handlers of links; one OpenMP thread for each of the notebooks and examples."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("MPLBACKEND", None)  # or notebooks would have no pictures
    demo_towers.demonstration_towers = functools.cache(demo_towers.demonstration_towers)  # examples share towers
    app.connect("source-read", _on_source)
    app.connect("include-read", _on_include)
    app.connect("autodoc-process-docstring", _on_docstring, priority=400)  # before numpydoc
