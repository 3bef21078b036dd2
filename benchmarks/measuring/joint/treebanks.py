"""Treebanks of Universal Dependencies that joint taggers are compared on."""

from __future__ import annotations

from dataclasses import dataclass

RELEASE = "r2.16"
"""Tag of the release in the repositories of https://github.com/UniversalDependencies."""

OUTPUTS = ("tag", "pos", "morph", "lemma")
"""Attributes of spaCy's tokens, for XPOS, UPOS, FEATS and LEMMA."""


SHORT = 2100
"""Steps of our training on treebanks of less than 30,000 words, half of the config's."""


@dataclass(frozen=True)
class Source:
    """Source of a treebank.

    repository: Name of the repository.
    kind: How the language builds its words.
    licence: Licence of the treebank, as its README gives it.
    lang: spaCy's code of the language; "xx" if it has none, or needs another library for it.
    lacks: Those of OUTPUTS that the treebank does not annotate.
    steps: Steps of our training; None for the config's.
    """

    repository: str
    kind: str
    script: str
    licence: str
    lang: str
    lacks: tuple[str, ...] = ()
    steps: int | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Those of OUTPUTS that the treebank annotates."""
        return tuple(output for output in OUTPUTS if output not in self.lacks)


# The largest train split first. `project.yml` downloads all of them.
SOURCES = {
    "en_ewt": Source("UD_English-EWT", "analytic", "Latin", "CC BY-SA 4.0", "en"),
    "pt_bosque": Source(
        "UD_Portuguese-Bosque", "fusional", "Latin", "CC BY-SA 4.0", "pt", lacks=("tag",)
    ),
    "fr_sequoia": Source("UD_French-Sequoia", "fusional", "Latin", "LGPL-LR", "fr", lacks=("tag",)),
    "el_gdt": Source("UD_Greek-GDT", "fusional", "Greek", "CC BY-NC-SA 3.0", "el"),
    "tr_imst": Source("UD_Turkish-IMST", "agglutinative", "Latin", "CC BY-NC-SA 4.0", "tr"),
    "got_proiel": Source("UD_Gothic-PROIEL", "fusional", "Latin", "CC BY-NC-SA 3.0", "xx"),
    "hy_bsut": Source(
        "UD_Armenian-BSUT",
        "agglutinative",
        "Armenian",
        "CC BY-SA 4.0",
        "hy",
        lacks=("tag",),
        steps=SHORT,
    ),
    # "vi" needs the library pyvi
    "vi_vtb": Source(
        "UD_Vietnamese-VTB",
        "isolating",
        "Latin",
        "CC BY-SA 4.0",
        "xx",
        lacks=("morph",),
        steps=SHORT,
    ),
    "hu_szeged": Source(
        "UD_Hungarian-Szeged",
        "agglutinative",
        "Latin",
        "CC BY-NC-SA 3.0",
        "hu",
        lacks=("tag",),
        steps=SHORT,
    ),
    "ug_udt": Source("UD_Uyghur-UDT", "agglutinative", "Arabic", "CC BY-SA 4.0", "xx", steps=SHORT),
    "cs_cltt": Source("UD_Czech-CLTT", "fusional", "Latin", "CC BY-SA 4.0", "cs", steps=SHORT),
    "ta_ttb": Source(
        "UD_Tamil-TTB", "agglutinative", "Tamil", "CC BY-NC-SA 3.0", "ta", steps=SHORT
    ),
    "mr_ufal": Source(
        "UD_Marathi-UFAL",
        "agglutinative",
        "Devanagari",
        "CC BY-SA 4.0",
        "mr",
        lacks=("tag",),
        steps=SHORT,
    ),
}
