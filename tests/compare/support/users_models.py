"""Twenty networks as users of Keras build them, made small: each function gives a compiled model.

Built by Keras alone, with images that are not square; nothing of ours has a hand in them until
they are handed over.
"""

SPARSE = "sparse_categorical_crossentropy"
SHAPE = (8, 6, 2)


def compiled(model, loss="mse", optimizer="sgd", **settings):
    model.compile(optimizer, loss, **settings)
    return model


def u_net(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    top = L.Conv2D(3, 3, padding="same", activation="relu")(image)
    low = L.Conv2D(4, 3, padding="same", activation="relu")(L.MaxPooling2D(2)(top))
    up = L.Conv2DTranspose(3, 2, strides=2, padding="same")(low)
    joined = L.Conv2D(3, 3, padding="same", activation="relu")(L.Concatenate()([up, top]))
    return compiled(keras.Model(image, L.Conv2D(1, 1, activation="sigmoid")(joined)),
                    "binary_crossentropy")


def transfer_learning(keras):
    L = keras.layers
    base = keras.Sequential([keras.Input(SHAPE), L.Conv2D(4, (3, 2), use_bias=False),
                             L.BatchNormalization(), L.ReLU()], name="base")
    base.trainable = False
    image = keras.Input(SHAPE)
    x = base(L.Rescaling(1 / 127.5, offset=-1)(image), training=False)
    x = L.Dropout(0.2)(L.GlobalAveragePooling2D()(x))
    return compiled(keras.Model(image, L.Dense(3, activation="softmax")(x)), SPARSE, "adam")


def autoencoder(keras):
    L = keras.layers
    return compiled(keras.Sequential([
        keras.Input(SHAPE), L.Flatten(), L.Dense(7, activation="relu"),
        L.Dense(4, activation="tanh", activity_regularizer="l1"), L.Dense(7, activation="relu"),
        L.Dense(96, activation="sigmoid"), L.Reshape(SHAPE)]), "mae", "rmsprop")


def convolutional_autoencoder(keras):
    L = keras.layers
    return compiled(keras.Sequential([
        keras.Input(SHAPE), L.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        L.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu"),
        L.Conv2D(2, 3, padding="same")]))


def siamese(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    tower = keras.Model(image, L.UnitNormalization()(L.Dense(3)(L.Flatten()(
        L.Conv2D(2, 3, activation="relu")(image)))), name="tower")
    left, right = keras.Input(SHAPE), keras.Input(SHAPE)
    alike = L.Dot(axes=1)([tower(left), tower(right)])
    return compiled(keras.Model([left, right], L.Dense(1, activation="sigmoid")(alike)),
                    "binary_crossentropy")


def squeeze_and_excite(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    x = L.Conv2D(4, 3, padding="same")(image)
    s = L.GlobalAveragePooling2D(keepdims=True)(x)
    s = L.Conv2D(4, 1, activation="sigmoid")(L.Conv2D(2, 1, activation="swish")(s))
    return compiled(keras.Model(image, L.Dense(2)(L.Flatten()(L.Multiply()([x, s])))))


def text_cnn(keras):
    L = keras.layers
    words = keras.Input((9,), dtype="int32")
    x = L.Embedding(12, 5)(words)
    arms = [L.GlobalMaxPooling1D()(L.Conv1D(3, width, activation="relu")(x)) for width in (2, 3)]
    x = L.Dropout(0.5)(L.Concatenate()(arms))
    return compiled(keras.Model(words, L.Dense(3, activation="softmax")(x)), SPARSE, "adam")


def cnn_and_lstm(keras):
    L = keras.layers
    return compiled(keras.Sequential([
        keras.Input((3, 6, 5, 2)), L.TimeDistributed(L.Conv2D(2, (3, 2), activation="relu")),
        L.TimeDistributed(L.GlobalMaxPooling2D()), L.LSTM(3), L.Dense(2)]))


def vision_transformer(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    x = L.Reshape((12, 4))(L.Conv2D(4, 2, strides=2)(image))
    attended = L.MultiHeadAttention(2, 3)(*[L.LayerNormalization(epsilon=1e-5)(x)] * 2)
    x = L.Add()([x, attended])
    x = L.Add()([x, L.Dense(4)(L.Dense(6, activation="gelu")(L.LayerNormalization()(x)))])
    return compiled(keras.Model(image, L.Dense(2)(L.GlobalAveragePooling1D()(x))),
                    optimizer="adamw")


def mobile_net(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    x = L.BatchNormalization()(L.Conv2D(6, 1, use_bias=False)(image))
    x = L.ZeroPadding2D(((0, 1), (0, 1)))(keras.ops.relu6(x))
    x = L.DepthwiseConv2D(3, strides=2, use_bias=False)(x)
    x = L.ReLU(6.0)(L.BatchNormalization()(x))
    x = L.Conv2D(3, 1, use_bias=False)(x)
    return compiled(keras.Model(image, L.Dense(2)(L.GlobalAveragePooling2D()(x))))


def inception(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    arms = [L.Conv2D(2, 1, activation="relu")(image),
            L.Conv2D(3, 3, padding="same", activation="relu")(L.Conv2D(2, 1)(image)),
            L.Conv2D(2, (1, 3), padding="same")(L.Conv2D(2, (3, 1), padding="same")(image)),
            L.Conv2D(2, 1)(L.AveragePooling2D(3, strides=1, padding="same")(image))]
    x = L.Concatenate(axis=-1)(arms)
    return compiled(keras.Model(image, L.Dense(2)(L.GlobalMaxPooling2D()(x))))


def res_net_v2(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    x = L.Conv2D(4, 3, padding="same")(image)
    y = L.Activation("relu")(L.BatchNormalization(epsilon=1.001e-5)(x))
    short = L.Conv2D(6, 1)(L.MaxPooling2D(1, strides=2)(y))
    y = L.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(y)
    y = L.Conv2D(6, 1)(L.Activation("relu")(L.BatchNormalization()(y)))
    return compiled(keras.Model(image, L.Dense(2)(L.GlobalAveragePooling2D()(short + y))),
                    optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True))


def dense_net(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    x = image
    for _ in range(2):
        y = L.ReLU()(L.BatchNormalization()(x))
        x = L.Concatenate()([x, L.Conv2D(2, 3, padding="same", use_bias=False)(y)])
    x = L.AveragePooling2D(2)(L.Conv2D(3, 1)(x))
    return compiled(keras.Model(image, L.Dense(2)(L.Flatten()(x))))


def fully_convolutional(keras):
    L = keras.layers
    image = keras.Input((None, None, 3))
    x = L.Conv2D(4, (3, 2), padding="same", activation="relu")(image)
    x = L.UpSampling2D(2, interpolation="bilinear")(L.MaxPooling2D(2)(x))
    return compiled(keras.Model(image, L.Conv2D(3, 1, activation="softmax")(x)), SPARSE)


def multi_task(keras):
    L = keras.layers
    image = keras.Input(SHAPE, name="image")
    x = L.Flatten()(L.Conv2D(3, 3, activation="elu")(image))
    heads = {"kind": L.Dense(3, activation="softmax", name="kind")(x),
             "box": L.Dense(4, name="box")(x)}
    return compiled(keras.Model(image, heads), {"kind": SPARSE, "box": "huber"},
                    loss_weights={"kind": 1.0, "box": 0.3}, metrics={"kind": ["accuracy"]})


def discriminator(keras):
    L = keras.layers
    return compiled(keras.Sequential([
        keras.Input(SHAPE), L.Conv2D(3, 4, strides=2, padding="same"), L.LeakyReLU(0.2),
        L.Dropout(0.3), L.Conv2D(4, 3, strides=2, padding="same"),
        L.LeakyReLU(negative_slope=0.2), L.Flatten(), L.Dense(1)]),
        keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        keras.optimizers.Adam(2e-4, beta_1=0.5))


def attention_gate(keras):
    L = keras.layers
    image = keras.Input(SHAPE)
    skip = L.Conv2D(3, 3, padding="same", activation="relu")(image)
    gating = L.Conv2D(4, 3, strides=2, padding="same", activation="relu")(skip)
    both = L.Add()([L.Conv2D(2, 2, strides=2)(skip), L.Conv2D(2, 1)(gating)])
    weight = L.Conv2D(1, 1, activation="sigmoid")(L.Activation("relu")(both))
    x = skip * L.UpSampling2D(2)(weight)  # one weight for all channels
    return compiled(keras.Model(image, L.Conv2D(1, 1)(x)))


def pixel_shuffle(keras):
    L = keras.layers
    image = keras.Input((4, 3, 2))
    x = L.Reshape((4, 3, 2, 2, 2))(L.Conv2D(8, 3, padding="same")(image))
    x = L.Reshape((8, 6, 2))(L.Permute((1, 3, 2, 4, 5))(x))
    return compiled(keras.Model(image, x), "mae")


def ensemble(keras):
    L = keras.layers

    def member(width, name):
        return keras.Sequential([keras.Input(SHAPE), L.Conv2D(width, 3, activation="relu"),
                                 L.Flatten(), L.Dense(3, activation="softmax")], name=name)

    image = keras.Input(SHAPE)
    mean = L.Average()([member(2, "one")(image), member(3, "two")(image)])
    return compiled(keras.Model(image, mean), SPARSE)


def noisy_cnn(keras):
    L = keras.layers
    return compiled(keras.Sequential([
        keras.Input(SHAPE), L.GaussianNoise(0.1), L.Conv2D(4, (3, 2), kernel_regularizer="l2"),
        L.BatchNormalization(), L.PReLU(shared_axes=[1, 2]), L.SpatialDropout2D(0.25),
        L.MaxPooling2D(2), L.Flatten(), L.Dense(2)]), optimizer="adam")


MODELS = (u_net, transfer_learning, autoencoder, convolutional_autoencoder, siamese,
          squeeze_and_excite, text_cnn, cnn_and_lstm, vision_transformer, mobile_net, inception,
          res_net_v2, dense_net, fully_convolutional, multi_task, discriminator, attention_gate,
          pixel_shuffle, ensemble, noisy_cnn)
