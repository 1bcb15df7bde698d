"""Where configs, names and files are read or written otherwise."""

from compare.evaluation.deviations.difference import Difference

HUBER_DELTA = Difference(
    "huber_delta_in_config",
    where="the config of a Huber loss",
    keras="drops delta, which so comes back from a file as 1",
    ours="keeps delta; a file that Keras wrote has lost it",
    why="A config is to make the same loss again.",
    checks="A live Keras model is asked for its loss's own delta. `parity check --model FILE` has "
           "but the file.",
    concerns=("losses.Huber.delta",))

SPARSE_AXIS = Difference(
    "sparse_axis_in_config",
    where="the axis of SparseCategoricalCrossentropy",
    keras="takes any axis and drops it from the config, which so comes back as -1",
    ours="refuses every axis but -1 by name; nothing can be refused in a file that says nothing",
    why="Another axis is not supported, and a loss over the wrong one would go unnoticed.",
    checks="None draws another axis.", concerns=("losses.SparseCategoricalCrossentropy.axis",))

L1_L2_BY_NAME = Difference(
    "l1_l2_by_name",
    where="the string 'l1_l2' as a regularizer",
    keras="does not find it, although its documentation describes it",
    ours="takes it for L1L2(l1=0.01, l2=0.01), as described; writes that into configs",
    why="It costs nothing, and what is written is what Keras reads.",
    checks="`parity fuzz` draws it and hands Keras the config.")

CONSTANT_BY_NAME = Difference(
    "constant_by_name",
    where="the bare string 'constant' as an initializer",
    keras="raises a KeyError",
    ours="takes it for Constant(0), the default of the class",
    why="It is what every other name does.",
    checks="None draws it.")

FORGOTTEN_TRAINABLE = Difference(
    "trainable_of_a_sequential",
    where="trainable=False in the config of a whole Sequential",
    keras="writes it and does not read it: what comes back is trainable",
    ours="keeps it",
    why="A config is to make the same model again.",
    checks="The twins that the checks make are set to what the config says.")

UNREACHABLE_OUTPUT = Difference(
    "transposed_output_without_way_back",
    where="an output_padding of a transposed convolution from whose output no convolution leads "
          "back",
    keras="builds the layer; TensorFlow then refuses the sizes when it is called",
    ours="refuses to build it, naming the arguments",
    why="An error is better early.",
    checks="Never drawn by `parity fuzz`.",
    concerns=("Conv1DTranspose.output_padding", "Conv2DTranspose.output_padding",
              "Conv3DTranspose.output_padding"),
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",))

ELLIPSIS_SHAPE = Difference(
    "ellipsis_of_einsum_dense",
    where="compute_output_shape of an EinsumDense whose equation begins with an ellipsis that "
          "stands for the batch and two axes or more",
    keras="says these axes in reverse order; what the layer computes has them in the right one",
    ours="says the shape of what it computes",
    why="A shape is to be that of the output.",
    checks="Never drawn by `parity fuzz`; written with letters, such an equation works in both.",
    concerns=("EinsumDense.equation",),
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",))

JOINED_CLASSES_SHAPE = Difference(
    "shape_of_joined_classes",
    where="compute_output_shape of a CategoryEncoding with 'multi_hot' or 'count', of inputs of "
          "three axes or more",
    keras="says that the last axis goes; what the layer computes lacks the second",
    ours="says the shape of what it computes",
    why="A shape is to be that of the output.",
    checks="Never drawn by `parity fuzz`.",
    concerns=("CategoryEncoding.output_mode",),
    known_by=("compare/evaluation/fuzzing/layer_grammar.py",))

CLASSES_OUT_OF_RANGE = Difference(
    "classes_out_of_range",
    where="class numbers beyond num_tokens or below 0 into CategoryEncoding",
    keras="leaves them out; of negative ones an error, or with 'one_hot' a row of zeros",
    ours="raises a ValueError that names the number",
    why="It is what Keras's documentation says of them.",
    checks="None draws such numbers.",
    concerns=("CategoryEncoding",))

OVERWRITING = Difference(
    "overwriting_files",
    where="save and save_weights with overwrite=False where the file exists",
    keras="asks on the terminal and reads the answer from standard input",
    ours="raises FileExistsError",
    why="A program without a terminal would hang or die of another error.",
    checks="None saves over a file.", concerns=("save.overwrite", "save_weights.overwrite"))

ENTRIES = (HUBER_DELTA, SPARSE_AXIS, L1_L2_BY_NAME, CONSTANT_BY_NAME, FORGOTTEN_TRAINABLE,
           UNREACHABLE_OUTPUT, ELLIPSIS_SHAPE, JOINED_CLASSES_SHAPE,
           CLASSES_OUT_OF_RANGE, OVERWRITING)
