"""What to do about a layer of Keras that is refused: the nearest way that works."""

STRINGS = ("Look words or numbers up before they are handed in, in a tf.data map say, and check "
           "the model from the layer behind it on.")
CELLS = "Use the layer of that cell: SimpleRNN, LSTM or GRU, one behind the other where they stack."
BEFORE = ("Prepare the data in front of the model and leave the layer out: it has no weights, and "
          "the rest of the model is the same.")
FOREIGN = ("It runs another framework. A PyTorch module can be the candidate itself: see PORTS.md; "
           "for others hand over their outputs, `compare.check_outputs`.")

NEAREST = {
    "Lambda": "Write it with the operations of keras.ops that are supported, or with layers; a "
              "layer of your own is wrapped: see PORTS.md.",
    "ReversibleEmbedding": "Embedding, and a Dense layer without bias of the same weights.",
    **dict.fromkeys(("AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization",
                     "MelSpectrogram", "STFTSpectrogram", "Solarization"), BEFORE),
    **dict.fromkeys(("CutMix", "MixUp", "MaxNumBoundingBoxes"),
                    "It changes labels or boxes besides images: apply it to the batches, and check "
                    "on what comes out."),
    "RandomCrop": "At inference Keras hands images through uncut, whatever its output shape says: "
                  "CenterCrop there, or crop the batches.",
    **dict.fromkeys(("HashedCrossing", "Hashing", "IntegerLookup", "StringLookup",
                     "TextVectorization"), STRINGS),
    "Pipeline": "Put its layers into the model one by one.",
    **dict.fromkeys(("GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells", "RNN"), CELLS),
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "TorchModuleWrapper"), FOREIGN),
    "TFSMLayer": "Load the Keras model that the SavedModel was made of.",
}
