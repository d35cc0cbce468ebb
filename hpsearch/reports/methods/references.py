"""What a text on a study cites: a catalogue of publications, and which method rests on which.

Adding a reference is an entry of REFERENCES. A new optimizer, trainer, sampler, pruner, split,
data set or library gets its line in CITED, be it an empty one where nothing is published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from hpsearch.records.estimate import CORRECTED, PLAIN, ROWS

# As BibTeX writes what is no plain ASCII in our authors and titles.
WRITTEN = {
    "á": r"{\'a}",
    "é": r"{\'e}",
    "É": r"{\'E}",
    "ë": r"{\"e}",
    "ö": r"{\"o}",
    "O(1/k^2)": "$O(1/k^2)$",
}
MOST_NAMES = 2  # of authors in a label; of more the first and "et al."


@dataclass(frozen=True)
class Reference:
    """A publication.

    Attributes:
        key: by which texts cite it.
        kind: of its entry in BibTeX.
        authors: "Surname, First names", with " and " between.
        where: the journal, the proceedings, or who published it.
        details: volume, number, pages, doi and the like, as BibTeX calls them.
    """

    key: str
    kind: Literal["article", "inproceedings", "book", "techreport", "misc"]
    authors: str
    year: int
    title: str
    where: str
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """ "Akiba et al., 2019"."""
        names = [author.partition(",")[0] for author in self.authors.split(" and ")]
        shown = " and ".join(names) if len(names) <= MOST_NAMES else f"{names[0]} et al."
        return f"{shown}, {self.year}"

    @property
    def line(self) -> str:
        """A line of a list of references."""
        details = self.details
        volume = details.get("volume", "")
        number = f"({details['number']})" if "number" in details else ""
        at = ", ".join(part for part in (volume + number, details.get("pages", "")) if part)
        doi = f" doi:{details['doi']}" if "doi" in details else ""
        authors = self.authors.replace(" and ", "; ")
        place = f"{self.where} {at}" if at else self.where
        return f"{authors} ({self.year}). {self.title}. {place}.{doi}"

    def bibtex(self) -> str:
        """Its entry, ASCII alone."""
        places = {"article": "journal", "inproceedings": "booktitle", "book": "publisher"}
        places["techreport"] = "institution"
        fields = {
            "author": self.authors,
            "title": f"{{{self.title}}}",
            places.get(self.kind, "howpublished"): self.where,
            "year": str(self.year),
            **{
                name: text.replace("-", "--") if name == "pages" else text
                for name, text in self.details.items()
            },
        }
        lines = [f"  {name} = {{{text}}}" for name, text in fields.items()]
        entry = f"@{self.kind}{{{self.key},\n" + ",\n".join(lines) + "\n}"
        for plain, written in WRITTEN.items():
            entry = entry.replace(plain, written)
        return entry


def _article(
    key: str, authors: str, year: int, title: str, journal: str, **details: str
) -> Reference:
    return Reference(key, "article", authors, year, title, journal, details)


def _paper(
    key: str, authors: str, year: int, title: str, proceedings: str, **details: str
) -> Reference:
    return Reference(key, "inproceedings", authors, year, title, proceedings, details)


NEURIPS = "Advances in Neural Information Processing Systems"
USSR = "USSR Computational Mathematics and Mathematical Physics"
KDD = "Proceedings of the {} ACM SIGKDD International Conference on Knowledge Discovery and Data "
KDD += "Mining"

REFERENCES: dict[str, Reference] = {
    reference.key: reference
    for reference in (
        _paper(
            "akiba2019optuna",
            "Akiba, Takuya and Sano, Shotaro and Yanase, Toshihiko and Ohta, Takeru and Koyama, "
            "Masanori",
            2019,
            "Optuna: A Next-generation Hyperparameter Optimization Framework",
            KDD.format("25th"),
            pages="2623-2631",
            doi="10.1145/3292500.3330701",
        ),
        _article(
            "alpaydin1998digits",
            "Alpaydin, Ethem and Kaynak, Cenk",
            1998,
            "Optical Recognition of Handwritten Digits",
            "UCI Machine Learning Repository",
            doi="10.24432/C50P49",
        ),
        _paper(
            "bengio2013advances",
            "Bengio, Yoshua and Boulanger-Lewandowski, Nicolas and Pascanu, Razvan",
            2013,
            "Advances in Optimizing Recurrent Networks",
            "IEEE International Conference on Acoustics, Speech and Signal Processing",
            pages="8624-8628",
        ),
        _paper(
            "bergman2024dont",
            "Bergman, Edward and Purucker, Lennart and Hutter, Frank",
            2024,
            "Don't Waste Your Time: Early Stopping Cross-Validation",
            "Proceedings of the Third International Conference on Automated Machine Learning",
            volume="256",
        ),
        _paper(
            "bergstra2011algorithms",
            "Bergstra, James and Bardenet, Rémi and Bengio, Yoshua and Kégl, Balázs",
            2011,
            "Algorithms for Hyper-Parameter Optimization",
            NEURIPS,
            volume="24",
            pages="2546-2554",
        ),
        _article(
            "bergstra2012random",
            "Bergstra, James and Bengio, Yoshua",
            2012,
            "Random Search for Hyper-Parameter Optimization",
            "Journal of Machine Learning Research",
            volume="13",
            pages="281-305",
        ),
        _paper(
            "biedenkapp2017ablation",
            "Biedenkapp, Andre and Lindauer, Marius and Eggensperger, Katharina and Hutter, Frank "
            "and Fawcett, Chris and Hoos, Holger H.",
            2017,
            "Efficient Parameter Importance Analysis via Ablation with Surrogates",
            "Proceedings of the 31st AAAI Conference on Artificial Intelligence",
        ),
        _article(
            "bonett2000sample",
            "Bonett, Douglas G. and Wright, Thomas A.",
            2000,
            "Sample Size Requirements for Estimating Pearson, Kendall and Spearman Correlations",
            "Psychometrika",
            volume="65",
            number="1",
            pages="23-28",
        ),
        Reference(
            "breiman1984cart",
            "book",
            "Breiman, Leo and Friedman, Jerome H. and Olshen, Richard A. and Stone, Charles J.",
            1984,
            "Classification and Regression Trees",
            "Wadsworth",
        ),
        _paper(
            "chen2016xgboost",
            "Chen, Tianqi and Guestrin, Carlos",
            2016,
            "XGBoost: A Scalable Tree Boosting System",
            KDD.format("22nd"),
            pages="785-794",
            doi="10.1145/2939672.2939785",
        ),
        _article(
            "deb2002nsga2",
            "Deb, Kalyanmoy and Pratap, Amrit and Agarwal, Sameer and Meyarivan, T.",
            2002,
            "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
            "IEEE Transactions on Evolutionary Computation",
            volume="6",
            number="2",
            pages="182-197",
        ),
        _paper(
            "dodge2019show",
            "Dodge, Jesse and Gururangan, Suchin and Card, Dallas and Schwartz, Roy and Smith, "
            "Noah A.",
            2019,
            "Show Your Work: Improved Reporting of Experimental Results",
            "Proceedings of the 2019 Conference on Empirical Methods in Natural Language "
            "Processing",
            pages="2185-2194",
            doi="10.18653/v1/D19-1224",
        ),
        _article(
            "duchi2011adaptive",
            "Duchi, John and Hazan, Elad and Singer, Yoram",
            2011,
            "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization",
            "Journal of Machine Learning Research",
            volume="12",
            pages="2121-2159",
        ),
        _article(
            "efron1979bootstrap",
            "Efron, Bradley",
            1979,
            "Bootstrap Methods: Another Look at the Jackknife",
            "The Annals of Statistics",
            volume="7",
            number="1",
            pages="1-26",
        ),
        _article(
            "hansen2001completely",
            "Hansen, Nikolaus and Ostermeier, Andreas",
            2001,
            "Completely Derandomized Self-Adaptation in Evolution Strategies",
            "Evolutionary Computation",
            volume="9",
            number="2",
            pages="159-195",
        ),
        _paper(
            "hvarfner2022pibo",
            "Hvarfner, Carl and Stoll, Danny and Souza, Artur and Lindauer, Marius and "
            "Hutter, Frank and Nardi, Luigi",
            2022,
            "{PiBO}: Augmenting Acquisition Functions with User Beliefs for {Bayesian} "
            "Optimization",
            "International Conference on Learning Representations",
        ),
        _article(
            "feurer2022autosklearn",
            "Feurer, Matthias and Eggensperger, Katharina and Falkner, Stefan and Lindauer, "
            "Marius and Hutter, Frank",
            2022,
            "Auto-Sklearn 2.0: Hands-free AutoML via Meta-Learning",
            "Journal of Machine Learning Research",
            volume="23",
            number="261",
            pages="1-61",
        ),
        _article(
            "fawcett2016ablation",
            "Fawcett, Chris and Hoos, Holger H.",
            2016,
            "Analysing Differences Between Algorithm Configurations through Ablation",
            "Journal of Heuristics",
            volume="22",
            number="4",
            pages="431-458",
        ),
        _article(
            "holm1979simple",
            "Holm, Sture",
            1979,
            "A Simple Sequentially Rejective Multiple Test Procedure",
            "Scandinavian Journal of Statistics",
            volume="6",
            number="2",
            pages="65-70",
        ),
        _paper(
            "jamieson2016nonstochastic",
            "Jamieson, Kevin and Talwalkar, Ameet",
            2016,
            "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
            "Proceedings of the 19th International Conference on Artificial Intelligence and "
            "Statistics",
            pages="240-248",
        ),
        _paper(
            "ke2017lightgbm",
            "Ke, Guolin and Meng, Qi and Finley, Thomas and Wang, Taifeng and Chen, Wei and Ma, "
            "Weidong and Ye, Qiwei and Liu, Tie-Yan",
            2017,
            "LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
            NEURIPS,
            volume="30",
        ),
        _paper(
            "kingma2015adam",
            "Kingma, Diederik P. and Ba, Jimmy",
            2015,
            "Adam: A Method for Stochastic Optimization",
            "International Conference on Learning Representations",
            eprint="1412.6980",
            archiveprefix="arXiv",
        ),
        _paper(
            "kohavi1995study",
            "Kohavi, Ron",
            1995,
            "A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model "
            "Selection",
            "Proceedings of the 14th International Joint Conference on Artificial Intelligence",
            pages="1137-1143",
        ),
        Reference(
            "krizhevsky2009learning",
            "techreport",
            "Krizhevsky, Alex",
            2009,
            "Learning Multiple Layers of Features from Tiny Images",
            "University of Toronto",
        ),
        _article(
            "lecun1998gradient",
            "LeCun, Yann and Bottou, Léon and Bengio, Yoshua and Haffner, Patrick",
            1998,
            "Gradient-Based Learning Applied to Document Recognition",
            "Proceedings of the IEEE",
            volume="86",
            number="11",
            pages="2278-2324",
        ),
        _article(
            "li2018hyperband",
            "Li, Lisha and Jamieson, Kevin and DeSalvo, Giulia and Rostamizadeh, Afshin and "
            "Talwalkar, Ameet",
            2018,
            "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization",
            "Journal of Machine Learning Research",
            volume="18",
            number="185",
            pages="1-52",
        ),
        _article(
            "nadeau2003inference",
            "Nadeau, Claude and Bengio, Yoshua",
            2003,
            "Inference for the Generalization Error",
            "Machine Learning",
            volume="52",
            number="3",
            pages="239-281",
            doi="10.1023/A:1024068626366",
        ),
        _article(
            "nesterov1983method",
            "Nesterov, Yurii E.",
            1983,
            "A Method for Solving the Convex Programming Problem with Convergence Rate O(1/k^2)",
            "Doklady Akademii Nauk SSSR",
            volume="269",
            number="3",
            pages="543-547",
        ),
        _article(
            "pedregosa2011scikit",
            "Pedregosa, Fabian and Varoquaux, Gaël and Gramfort, Alexandre and Michel, Vincent "
            "and Thirion, Bertrand and Grisel, Olivier and Blondel, Mathieu and Prettenhofer, "
            "Peter and Weiss, Ron and Dubourg, Vincent and Vanderplas, Jake and Passos, "
            "Alexandre and Cournapeau, David and Brucher, Matthieu and Perrot, Matthieu and "
            "Duchesnay, Édouard",
            2011,
            "Scikit-learn: Machine Learning in Python",
            "Journal of Machine Learning Research",
            volume="12",
            pages="2825-2830",
        ),
        _article(
            "polyak1964methods",
            "Polyak, Boris T.",
            1964,
            "Some Methods of Speeding up the Convergence of Iteration Methods",
            USSR,
            volume="4",
            number="5",
            pages="1-17",
        ),
        _paper(
            "prokhorenkova2018catboost",
            "Prokhorenkova, Liudmila and Gusev, Gleb and Vorobev, Aleksandr and Dorogush, Anna "
            "Veronika and Gulin, Andrey",
            2018,
            "CatBoost: Unbiased Boosting with Categorical Features",
            NEURIPS,
            volume="31",
        ),
        _article(
            "robbins1951stochastic",
            "Robbins, Herbert and Monro, Sutton",
            1951,
            "A Stochastic Approximation Method",
            "The Annals of Mathematical Statistics",
            volume="22",
            number="3",
            pages="400-407",
        ),
        _article(
            "roberts2017cross",
            "Roberts, David R. and Bahn, Volker and Ciuti, Simone and Boyce, Mark S. and Elith, "
            "Jane and Guillera-Arroita, Gurutzeta and Hauenstein, Severin and Lahoz-Monfort, "
            "José J. and Schröder, Boris and Thuiller, Wilfried and Warton, David I. and Wintle, "
            "Brendan A. and Hartig, Florian and Dormann, Carsten F.",
            2017,
            "Cross-Validation Strategies for Data with Temporal, Spatial, Hierarchical, or "
            "Phylogenetic Structure",
            "Ecography",
            volume="40",
            number="8",
            pages="913-929",
            doi="10.1111/ecog.02881",
        ),
        _article(
            "rumelhart1986learning",
            "Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.",
            1986,
            "Learning Representations by Back-propagating Errors",
            "Nature",
            volume="323",
            pages="533-536",
        ),
        _article(
            "schmucker2021multi",
            "Schmucker, Robin and Donini, Michele and Zafar, Muhammad Bilal and Salinas, David "
            "and Archambeau, C{\\'e}dric",
            2021,
            "Multi-objective Asynchronous Successive Halving",
            "arXiv preprint arXiv:2106.12639",
            eprint="2106.12639",
            archiveprefix="arXiv",
        ),
        _paper(
            "snoek2012practical",
            "Snoek, Jasper and Larochelle, Hugo and Adams, Ryan P.",
            2012,
            "Practical Bayesian Optimization of Machine Learning Algorithms",
            NEURIPS,
            volume="25",
            pages="2951-2959",
        ),
        _article(
            "sobol1967distribution",
            "Sobol', Ilya M.",
            1967,
            "On the Distribution of Points in a Cube and the Approximate Evaluation of Integrals",
            USSR,
            volume="7",
            number="4",
            pages="86-112",
        ),
        _article(
            "stone1974cross",
            "Stone, Mervyn",
            1974,
            "Cross-Validatory Choice and Assessment of Statistical Predictions",
            "Journal of the Royal Statistical Society, Series B",
            volume="36",
            number="2",
            pages="111-147",
        ),
        _article(
            "student1908probable",
            "Student",
            1908,
            "The Probable Error of a Mean",
            "Biometrika",
            volume="6",
            number="1",
            pages="1-25",
        ),
        _paper(
            "tang2020showing",
            "Tang, Raphael and Lee, Jaejun and Xin, Ji and Liu, Xinyu and Yu, Yaoliang and Lin, "
            "Jimmy",
            2020,
            "Showing Your Work Doesn't Always Work",
            "Proceedings of the 58th Annual Meeting of the Association for Computational "
            "Linguistics",
            pages="2766-2772",
        ),
        _article(
            "tashman2000out",
            "Tashman, Leonard J.",
            2000,
            "Out-of-Sample Tests of Forecasting Accuracy: An Analysis and Review",
            "International Journal of Forecasting",
            volume="16",
            number="4",
            pages="437-450",
            doi="10.1016/S0169-2070(00)00065-0",
        ),
        Reference(
            "tieleman2012rmsprop",
            "misc",
            "Tieleman, Tijmen and Hinton, Geoffrey",
            2012,
            "Lecture 6.5, RMSProp: Divide the Gradient by a Running Average of Its Recent "
            "Magnitude",
            "COURSERA: Neural Networks for Machine Learning",
        ),
        _paper(
            "watanabe2023pedanova",
            "Watanabe, Shuhei and Bansal, Archit and Hutter, Frank",
            2023,
            "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces",
            "Proceedings of the 32nd International Joint Conference on Artificial Intelligence",
            pages="4389-4396",
            doi="10.24963/ijcai.2023/488",
        ),
        _article(
            "zeiler2012adadelta",
            "Zeiler, Matthew D.",
            2012,
            "ADADELTA: An Adaptive Learning Rate Method",
            "arXiv preprint arXiv:1212.5701",
            eprint="1212.5701",
            archiveprefix="arXiv",
        ),
    )
}

Family = Literal[
    "software",
    "data",
    "network",
    "split",
    "sampler",
    "pruner",
    "trainer",
    "library",
    "choice",
    "interval",
]

# By family and name in a study file, or of an interval: what it rests on.
CITED: Mapping[Family, Mapping[str, tuple[str, ...]]] = {
    "software": {"optuna": ("akiba2019optuna",), "scikit-learn": ("pedregosa2011scikit",)},
    "data": {
        "digits": ("alpaydin1998digits",),
        "mnist": ("lecun1998gradient",),
        "cifar10": ("krizhevsky2009learning",),
    },
    "network": {"two-layer": (), "multi-layer": (), "lenet": ("lecun1998gradient",)},
    "split": {
        "hold-out": (),
        "k-fold": ("stone1974cross", "kohavi1995study"),
        "repeated-k-fold": ("stone1974cross", "kohavi1995study"),
        "group-k-fold": ("roberts2017cross",),
        "time-ordered": ("tashman2000out",),
        "fixed": (),
    },
    "sampler": {
        "coarse-to-fine": (),
        "coarse-to-fine gp": ("snoek2012practical",),
        "priors": ("hvarfner2022pibo",),
        "earlier": ("feurer2022autosklearn",),
        "per second": ("snoek2012practical",),
        "grid": (),
        "listed": (),
        "qmc": ("sobol1967distribution",),
        "random": ("bergstra2012random",),
        "tpe": ("bergstra2011algorithms",),
        "gp": ("snoek2012practical",),
        "cmaes": ("hansen2001completely",),
        "nsga2": ("deb2002nsga2",),
        "brute-force": (),
        "stages": ("jamieson2016nonstochastic",),
    },
    "pruner": {
        "median": (),
        "percentile": (),
        "successive-halving": ("jamieson2016nonstochastic",),
        "hyperband": ("li2018hyperband",),
        "threshold": (),
        "patient": (),
        "wilcoxon": (),
        "pareto": ("schmucker2021multi", "deb2002nsga2"),
        "folds-as-needed": ("bergman2024dont",),
    },
    "trainer": {
        "sgd": ("robbins1951stochastic",),
        "momentum": ("polyak1964methods",),
        "nesterov": ("nesterov1983method", "bengio2013advances"),
        "adagrad": ("duchi2011adaptive",),
        "rmsprop": ("tieleman2012rmsprop",),
        "adadelta": ("zeiler2012adadelta",),
        "adam": ("kingma2015adam",),
        "alternating-gradient": ("rumelhart1986learning",),
        "proposal-search": ("rumelhart1986learning",),
    },
    "library": {
        "sklearn": ("pedregosa2011scikit",),
        "lightgbm": ("ke2017lightgbm",),
        "xgboost": ("chen2016xgboost",),
        "catboost": ("prokhorenkova2018catboost",),
    },
    "choice": {"best": (), "one-standard-error": ("breiman1984cart",)},
    "interval": {
        PLAIN: ("student1908probable",),
        CORRECTED: ("nadeau2003inference",),
        ROWS: ("student1908probable", "efron1979bootstrap"),
        "holm": ("holm1979simple",),
        "expected-best": ("dodge2019show", "tang2020showing"),
        "ablation": ("fawcett2016ablation", "biedenkapp2017ablation"),
        "rank-correlation": ("bonett2000sample",),
        "importance": ("watanabe2023pedanova",),
    },
}


def cited(family: Family, name: str) -> tuple[str, ...]:
    """The keys of what a method rests on; () where nothing is published, and of one's own."""
    return CITED[family].get(name, ())


def in_order(keys: Iterable[str]) -> list[Reference]:
    """The references of these keys, each once, by author and year."""
    found = {key: REFERENCES[key] for key in keys}
    return sorted(found.values(), key=lambda one: (one.authors.lower(), one.year, one.key))
