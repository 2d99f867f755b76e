"""Functions and classes of libraries that draw by chance, unless an argument seeds them.

To add a library, add a row: its module, the words of the argument, and the names.
"""

from __future__ import annotations

from typing import NamedTuple


class _Row(NamedTuple):
    module: str
    words: tuple[str, ...]
    names: str


_RANDOM_STATE, _SEED, _RNG = ("random_state",), ("seed",), ("rng", "seed", "random_state")
_COMMUNITIES = (
    "asyn_fluidc asyn_lpa_communities fast_label_propagation_communities kernighan_lin_bisection leiden_communities "
    "leiden_partitions louvain_communities louvain_partitions spectral_modularity_bipartition"
)
_APPROXIMATIONS = (
    "average_clustering one_exchange randomized_partitioning simulated_annealing_tsp threshold_accepting_tsp"
)

_ROWS = (
    _Row(
        "sklearn.cluster",
        _RANDOM_STATE,
        "AffinityPropagation BisectingKMeans KMeans MiniBatchKMeans SpectralBiclustering SpectralClustering "
        "SpectralCoclustering affinity_propagation k_means kmeans_plusplus spectral_clustering",
    ),
    _Row("sklearn.covariance", _RANDOM_STATE, "EllipticEnvelope MinCovDet fast_mcd"),
    _Row(
        "sklearn.decomposition",
        _RANDOM_STATE,
        "DictionaryLearning FastICA LatentDirichletAllocation MiniBatchDictionaryLearning MiniBatchNMF "
        "MiniBatchSparsePCA NMF PCA SparsePCA TruncatedSVD dict_learning dict_learning_online fastica "
        "non_negative_factorization randomized_svd",
    ),
    _Row(
        "sklearn.ensemble",
        _RANDOM_STATE,
        "AdaBoostClassifier AdaBoostRegressor BaggingClassifier BaggingRegressor ExtraTreesClassifier "
        "ExtraTreesRegressor GradientBoostingClassifier GradientBoostingRegressor HistGradientBoostingClassifier "
        "HistGradientBoostingRegressor IsolationForest RandomForestClassifier RandomForestRegressor "
        "RandomTreesEmbedding",
    ),
    _Row("sklearn.feature_selection", _RANDOM_STATE, "mutual_info_classif mutual_info_regression"),
    _Row("sklearn.impute", _RANDOM_STATE, "IterativeImputer"),
    _Row("sklearn.inspection", _RANDOM_STATE, "permutation_importance"),
    _Row(
        "sklearn.kernel_approximation",
        _RANDOM_STATE,
        "Nystroem PolynomialCountSketch RBFSampler SkewedChi2Sampler",
    ),
    _Row(
        "sklearn.linear_model",
        _RANDOM_STATE,
        "PassiveAggressiveClassifier PassiveAggressiveRegressor Perceptron RANSACRegressor SGDClassifier "
        "SGDOneClassSVM SGDRegressor TheilSenRegressor",
    ),
    _Row(
        "sklearn.manifold",
        _RANDOM_STATE,
        "LocallyLinearEmbedding MDS SpectralEmbedding TSNE locally_linear_embedding smacof spectral_embedding",
    ),
    _Row("sklearn.mixture", _RANDOM_STATE, "BayesianGaussianMixture GaussianMixture"),
    _Row(
        "sklearn.model_selection",
        _RANDOM_STATE,
        "GroupShuffleSplit HalvingGridSearchCV HalvingRandomSearchCV ParameterSampler RandomizedSearchCV RepeatedKFold "
        "RepeatedStratifiedKFold ShuffleSplit StratifiedShuffleSplit train_test_split",
    ),
    _Row("sklearn.multiclass", _RANDOM_STATE, "OutputCodeClassifier"),
    _Row("sklearn.neighbors", _RANDOM_STATE, "NeighborhoodComponentsAnalysis"),
    _Row("sklearn.neural_network", _RANDOM_STATE, "BernoulliRBM MLPClassifier MLPRegressor"),
    _Row("sklearn.preprocessing", _RANDOM_STATE, "KBinsDiscretizer QuantileTransformer quantile_transform"),
    _Row("sklearn.utils.extmath", _RANDOM_STATE, "randomized_range_finder randomized_svd"),
    _Row("sklearn.utils.random", _RANDOM_STATE, "sample_without_replacement"),
    _Row("sklearn.random_projection", _RANDOM_STATE, "GaussianRandomProjection SparseRandomProjection"),
    _Row("sklearn.svm", _RANDOM_STATE, "LinearSVC LinearSVR"),
    _Row(
        "sklearn.tree",
        _RANDOM_STATE,
        "DecisionTreeClassifier DecisionTreeRegressor ExtraTreeClassifier ExtraTreeRegressor",
    ),
    _Row("sklearn.utils", _RANDOM_STATE, "resample shuffle"),
    _Row(
        "sklearn.datasets",
        _RANDOM_STATE,
        "make_biclusters make_blobs make_checkerboard make_circles make_classification make_friedman1 make_friedman2 "
        "make_friedman3 make_gaussian_quantiles make_hastie_10_2 make_low_rank_matrix make_moons "
        "make_multilabel_classification make_regression make_s_curve make_sparse_coded_signal make_sparse_spd_matrix "
        "make_sparse_uncorrelated make_spd_matrix make_swiss_roll",
    ),
    _Row(
        "imblearn.over_sampling",
        _RANDOM_STATE,
        "ADASYN BorderlineSMOTE KMeansSMOTE RandomOverSampler SMOTE SMOTEN SMOTENC SVMSMOTE",
    ),
    _Row("imblearn.under_sampling", _RANDOM_STATE, "ClusterCentroids OneSidedSelection RandomUnderSampler"),
    _Row("imblearn.combine", _RANDOM_STATE, "SMOTEENN SMOTETomek"),
    _Row(
        "imblearn.ensemble",
        _RANDOM_STATE,
        "BalancedBaggingClassifier BalancedRandomForestClassifier EasyEnsembleClassifier RUSBoostClassifier",
    ),
    _Row("umap", _RANDOM_STATE, "UMAP"),
    _Row("pynndescent", _RANDOM_STATE, "NNDescent"),
    _Row("scipy.sparse", _RNG, "rand random random_array"),
    _Row("scipy.cluster.vq", _RNG, "kmeans kmeans2"),
    _Row("scipy.linalg", _RNG, "clarkson_woodruff_transform"),
    _Row(
        "scipy.linalg.interpolative",
        _RNG,
        "estimate_rank estimate_spectral_norm estimate_spectral_norm_diff interp_decomp svd",
    ),
    _Row("scipy.optimize", _RNG, "basinhopping check_grad differential_evolution dual_annealing"),
    _Row("scipy.sparse.linalg", (*_RNG, "v0"), "eigs eigsh svds"),
    _Row("scipy.spatial.transform.Rotation", _RNG, "random"),
    _Row(
        "scipy.stats",
        _RNG,
        "BootstrapMethod MonteCarloMethod PermutationMethod bootstrap dunnett goodness_of_fit monte_carlo_test "
        "multiscale_graphcorr permutation_test power sobol_indices",
    ),
    _Row(
        "scipy.stats.qmc",
        _RNG,
        "Halton LatinHypercube MultinomialQMC MultivariateNormalQMC PoissonDisk Sobol",
    ),
    _Row("scipy.stats.sampling", _RNG, "FastGeneratorInversion RatioUniforms"),
    *(
        _Row(
            module,
            _SEED,
            "LFR_benchmark_graph algebraic_connectivity approximate_current_flow_betweenness_centrality arf_layout "
            "barabasi_albert_graph binomial_graph configuration_model connected_double_edge_swap "
            "connected_watts_strogatz_graph dense_gnm_random_graph directed_configuration_model directed_edge_swap "
            "directed_joint_degree_graph double_edge_swap dual_barabasi_albert_graph duplication_divergence_graph "
            "erdos_renyi_graph expected_degree_graph extended_barabasi_albert_graph fast_gnp_random_graph "
            "fiedler_vector forceatlas2_layout fruchterman_reingold_layout gaussian_random_partition_graph "
            "general_random_intersection_graph generate_random_paths geographical_threshold_graph "
            "geometric_soft_configuration_graph gn_graph gnc_graph gnm_random_graph gnp_random_graph gnr_graph "
            "joint_degree_graph k_random_intersection_graph lattice_reference maximal_independent_set "
            "maybe_regular_expander maybe_regular_expander_graph navigable_small_world_graph "
            "newman_watts_strogatz_graph omega panther_similarity panther_vector_similarity "
            "partial_duplication_graph planted_partition_graph powerlaw_cluster_graph random_clustered_graph "
            "random_cograph random_degree_sequence_graph random_geometric_graph random_internet_as_graph "
            "random_k_out_graph random_kernel_graph random_labeled_rooted_forest random_labeled_rooted_tree "
            "random_labeled_tree random_layout random_lobster random_lobster_graph random_partition_graph "
            "random_powerlaw_tree random_powerlaw_tree_sequence random_reference random_regular_expander_graph "
            "random_regular_graph random_shell_graph random_spanning_tree random_tree random_unlabeled_rooted_forest "
            "random_unlabeled_rooted_tree random_unlabeled_tree relaxed_caveman_graph scale_free_graph sigma "
            "soft_random_geometric_graph spanner spectral_bisection spectral_graph_forge spectral_ordering "
            "spring_layout stochastic_block_model thresholded_random_geometric_graph "
            "uniform_random_intersection_graph watts_strogatz_graph waxman_graph",
        )
        for module in ("networkx", "networkx.drawing", "networkx.generators")
    ),
    *(_Row(f"networkx{of}.community", _SEED, _COMMUNITIES) for of in ("", ".algorithms")),
    *(_Row(f"networkx{of}.approximation", _SEED, _APPROXIMATIONS) for of in ("", ".algorithms")),
    _Row("pyarrow.compute", ("initializer",), "random"),
    _Row(
        "torch",
        ("generator",),
        "bernoulli multinomial normal rand rand_like randint randint_like randn randn_like randperm",
    ),
    _Row("torch", ("generator",), "poisson"),
    _Row(
        "torch.nn.functional",
        (),
        "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout gumbel_softmax",
    ),
    _Row("torch.utils.data", ("generator",), "RandomSampler WeightedRandomSampler random_split"),
    _Row(
        "igraph.Graph",
        (),
        "Barabasi Degree_Sequence Erdos_Renyi Forest_Fire GRG K_Regular Preference Random_Bipartite SBM Static_Fitness "
        "Tree_Game Watts_Strogatz",
    ),
    _Row("keras.random", _SEED, "normal randint shuffle uniform"),
    _Row("optuna", ("sampler",), "create_study"),
    _Row("optuna.samplers", _SEED, "CmaEsSampler QMCSampler RandomSampler TPESampler"),
    _Row("hyperopt", ("rstate",), "fmin"),
    _Row("pymc", ("random_seed",), "sample sample_posterior_predictive sample_prior_predictive"),
)
# The words by which each of them is seeded.
SEEDED_BY_WORD: dict[str, tuple[str, ...]] = {
    f"{row.module}.{name}": row.words for row in _ROWS for name in row.names.split()
}

# The same, where they draw only if another argument has one of these values; True stands for any but False and None.
_ASKED = (
    ("networkx", "betweenness_centrality edge_betweenness_centrality", "k", (True,)),
    ("sklearn.dummy", "DummyClassifier", "strategy", ("stratified", "uniform")),
    (
        "sklearn.gaussian_process",
        "GaussianProcessClassifier GaussianProcessRegressor",
        "n_restarts_optimizer",
        (True,),
    ),
    ("sklearn.metrics", "silhouette_score", "sample_size", (True,)),
    ("sklearn.model_selection", "GroupKFold KFold StratifiedGroupKFold StratifiedKFold", "shuffle", (True,)),
    ("sklearn.model_selection", "learning_curve", "shuffle", (True,)),
    ("sklearn.decomposition", "KernelPCA", "eigen_solver", ("arpack", "randomized")),
    ("sklearn.multioutput", "ClassifierChain RegressorChain", "order", ("random",)),
    ("sklearn.svm", "NuSVC SVC", "probability", (True,)),
    (
        "sklearn.linear_model",
        "LogisticRegression LogisticRegressionCV",
        "solver",
        ("liblinear", "sag", "saga"),
    ),
    ("sklearn.linear_model", "Ridge RidgeClassifier ridge_regression", "solver", ("sag", "saga")),
    (
        "sklearn.linear_model",
        "ElasticNet ElasticNetCV Lasso LassoCV MultiTaskElasticNet MultiTaskElasticNetCV MultiTaskLasso "
        "MultiTaskLassoCV",
        "selection",
        ("random",),
    ),
    ("sklearn.linear_model", "Lars LassoLars", "jitter", (True,)),
    ("torch.utils.data", "DataLoader", "shuffle", (True,)),
)
DRAWS_IF: dict[str, tuple[str, tuple[object, ...]]] = {
    f"{module}.{name}": (word, values) for module, names, word, values in _ASKED for name in names.split()
}
# The same, unless an argument has this value.
DRAWS_UNLESS: dict[str, tuple[str, object]] = {
    **{f"torch.nn.functional.dropout{of}": ("training", False) for of in ("", "1d", "2d", "3d")},
    "sklearn.model_selection.train_test_split": ("shuffle", False),
}
# The words that seed these.
SEEDS_OF_ASKED = ("random_state", "generator", "seed")

# Layers begin with weights of chance, or drop some by chance.
_TORCH_LAYERS = (
    "Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d Dropout Dropout1d Dropout2d "
    "Dropout3d Embedding EmbeddingBag GRU GRUCell LSTM LSTMCell LazyLinear Linear MultiheadAttention RNN RNNCell "
    "Transformer TransformerDecoderLayer TransformerEncoderLayer"
)
_KERAS_LAYERS = (
    "Bidirectional Conv1D Conv2D Conv2DTranspose Conv3D Dense Dropout Embedding GRU LSTM MultiHeadAttention "
    "SeparableConv1D SeparableConv2D SimpleRNN"
)
LAYERS = frozenset(
    [
        *(f"torch.nn.{layer}" for layer in _TORCH_LAYERS.split()),
        *(
            f"{keras}.layers.{layer}"
            for keras in ("keras", "tensorflow.keras", "tf_keras")
            for layer in _KERAS_LAYERS.split()
        ),
    ]
)

# Functions that seed generators, with the beginnings of the names that draw from them.
_KERAS = ("keras.", "tensorflow.", "tf_keras.")
_EVERY = ("random.", "numpy.random.", "torch.")
SEEDS: dict[str, tuple[str, ...]] = {
    "random.seed": ("random.",),
    "numpy.random.seed": ("numpy.random.", "sklearn.", "imblearn."),
    "torch.manual_seed": ("torch.",),
    "torch.random.manual_seed": ("torch.",),
    "tensorflow.random.set_seed": ("tensorflow.", "tf_keras."),
    "keras.utils.set_random_seed": (*_KERAS, "random.", "numpy.random."),
    "tensorflow.keras.utils.set_random_seed": (*_KERAS, "random.", "numpy.random."),
    "lightning.seed_everything": _EVERY,
    "lightning.pytorch.seed_everything": _EVERY,
    "pytorch_lightning.seed_everything": _EVERY,
    "transformers.set_seed": (*_EVERY, *_KERAS),
    "accelerate.utils.set_seed": _EVERY,
}
