"""What Keras's arguments promise and some of TensorFlow's CPU kernels do not do; scratch does.

What TensorFlow's own kernels refuse, those of oneDNN compute. On any machine the numbers can be
compared where TensorFlow compiles the layer with XLA, which has kernels of its own;
`tests/scratch/layers/test_convolutions_against_keras.py` does so.
"""

from compare.evaluation.deviations.difference import Difference

NOT_DRAWN = "Never drawn by `parity fuzz`. `parity check` names the error if Keras raises it."
KNOWN_BY = ("compare/evaluation/fuzzing/layer_grammar.py",)

CHANNELS_FIRST = Difference(
    "channels_first_convolution",
    where="channels_first in Conv1D, Conv2D (groups=1), ConvLSTM1D, ConvLSTM2D and the transposed "
          "convolutions",
    keras="raises an error when called: TensorFlow's own CPU kernels take channels_last only",
    ours="convolves",
    why="It is what Keras computes on other devices, with oneDNN, or compiled by XLA.",
    checks=NOT_DRAWN, known_by=KNOWN_BY, onednn=False,
    concerns=("Conv1D.data_format", "Conv2D.data_format", "Conv1DTranspose.data_format",
              "Conv2DTranspose.data_format", "Conv3DTranspose.data_format",
              "ConvLSTM1D.data_format", "ConvLSTM2D.data_format"))

TRANSPOSED_DILATION = Difference(
    "transposed_dilation",
    where="dilation_rate above 1 in the transposed convolutions",
    keras="raises an error when called: TensorFlow's own CPU kernel refuses it",
    ours="dilates",
    why="It is what Keras computes on other devices, with oneDNN, or compiled by XLA.",
    checks=NOT_DRAWN, known_by=KNOWN_BY, onednn=False,
    concerns=("Conv1DTranspose.dilation_rate", "Conv2DTranspose.dilation_rate",
              "Conv3DTranspose.dilation_rate"))

UNEQUAL_STRIDES = Difference(
    "unequal_depthwise_strides",
    where="strides that differ by axis in DepthwiseConv2D and SeparableConv2D",
    keras="raises an error when called: TensorFlow's own CPU kernel takes the same stride on both "
          "axes",
    ours="convolves",
    why="It is what Keras computes with oneDNN, or compiled by XLA.",
    checks=NOT_DRAWN, known_by=KNOWN_BY, onednn=False,
    concerns=("DepthwiseConv2D.strides", "SeparableConv2D.strides"))

STRIDED_POINTWISE = Difference(
    "strided_pointwise_gradient",
    where="the kernel's gradient for kernel_size 1 with strides over 1: in Conv1DTranspose and "
          "Conv2DTranspose, and in Conv1D, Conv2D, ConvLSTM1D and ConvLSTM2D where the strides "
          "divide the image's sizes; patches of one pixel, by keras.ops.image.extract_patches, "
          "with such strides, for which Keras takes a convolution",
    keras="writes outside its memory: numbers come out wrong, other operations fail, or the "
          "process dies; the larger the images, the more often",
    ours="computes it",
    why="It is what Keras computes on every other kernel.",
    checks="Never drawn by `parity fuzz`. `parity check` refuses such a layer by name, before it "
           "runs.",
    known_by=KNOWN_BY, onednn=True,
    concerns=("Conv1D.strides", "Conv2D.strides", "Conv1DTranspose.strides",
              "Conv2DTranspose.strides", "ConvLSTM1D.strides", "ConvLSTM2D.strides"))

POOLED_TO_ONE = Difference(
    "adaptive_pooling_to_one",
    where="AdaptiveAveragePooling and AdaptiveMaxPooling to a size of 1 along an axis, or along "
          "one that has one number",
    keras="raises an error once it is compiled, as in fit and predict, for it also makes windows "
          "that are larger than the image; called by itself, a max pooling ends the process with "
          "oneDNN's kernels",
    ours="pools",
    why="It is what the same layer computes to any other size.",
    checks="Never drawn by `parity fuzz`. `parity check` refuses such a layer by name, before it "
           "runs.",
    known_by=("reference/kernels.py", *KNOWN_BY),
    concerns=tuple(f"Adaptive{kind}Pooling{rank}D.output_size" for kind in ("Average", "Max")
                   for rank in (1, 2, 3)))

FLOAT64_VOLUMES = Difference(
    "pooling_of_volumes_in_float64",
    where="MaxPooling3D, AveragePooling3D and their adaptive kin of float64",
    keras="raises an error when called: TensorFlow has no such kernels",
    ours="pools",
    why="Pooling is the same in any precision.",
    checks=NOT_DRAWN, known_by=KNOWN_BY,
    concerns=("MaxPooling3D", "AveragePooling3D", "AdaptiveMaxPooling3D",
              "AdaptiveAveragePooling3D"))

FLOAT64_INTERPOLATION = Difference(
    "interpolation_in_float64",
    where="UpSampling2D of float64 with another interpolation than nearest",
    keras="computes in float32; with lanczos3 and lanczos5 raises an error for the gradient",
    ours="computes in float64",
    why="A layer has one precision.",
    checks="Never drawn by `parity fuzz`. The oracle's bounds are those of float32 there, so that "
           "both pass.",
    known_by=KNOWN_BY, concerns=("UpSampling2D.interpolation",))

RESIZING_IN_FLOAT64 = Difference(
    "resizing_in_float64",
    where="Resizing by bilinear or bicubic interpolation, and CenterCrop of images that are too "
          "small, in float64",
    keras="computes in float32, TensorFlow's kernel having no other; what CenterCrop puts out then "
          "stays float32, which takes no gradient in float64",
    ours="computes in float64",
    why="It is what float64 is chosen for.",
    checks="The oracle's bounds allow float32's roundings. CenterCrop in float64 is never drawn by "
           "`parity fuzz`.",
    known_by=("compare/evaluation/fuzzing/layer_grammar.py", "compare/oracle/resampling.py"),
    concerns=("Resizing.interpolation", "CenterCrop.height", "CenterCrop.width"))

ENTRIES = (CHANNELS_FIRST, TRANSPOSED_DILATION, UNEQUAL_STRIDES, STRIDED_POINTWISE,
           POOLED_TO_ONE, FLOAT64_VOLUMES, FLOAT64_INTERPOLATION, RESIZING_IN_FLOAT64)
