package io.holdfast.checkpoint.model;

/** The manifest of {@link TestModel#tiny} as version 1 of the format writes it. */
final class PinnedManifest {
  static final String TEXT =
      """
      {
        "format" : "holdfast-model",
        "version" : 1,
        "holdfastVersion" : "0.1.0-TEST",
        "created" : "2026-01-02T03:04:05Z",
        "model" : {
          "name" : "tiny",
          "dim" : 2,
          "bottom" : [ 1, 2 ],
          "top" : [ 1 ],
          "interaction" : "SUM",
          "tables" : [ {
            "column" : 0,
            "rows" : 3
          }, {
            "column" : 5,
            "rows" : 4
          } ]
        },
        "optimizer" : {
          "kind" : "ROWWISE_ADAGRAD",
          "momentum" : 0.9,
          "beta1" : 0.9,
          "beta2" : 0.999,
          "epsilon" : 1.0E-8,
          "initialAccumulator" : 0.0
        },
        "seed" : -42,
        "idMapping" : "hash",
        "rows" : 3,
        "nnUpdates" : 41,
        "files" : [ {
          "name" : "rows.bin",
          "bytes" : 72,
          "crc32c" : "85ed227b"
        }, {
          "name" : "nn.bin",
          "bytes" : 80,
          "crc32c" : "1ad2675b"
        } ],
        "modelDigest" : "b82c4b8a102ba9e0d6f24879120d295e2ef04bde26a093a1c6fc457fde4adf8a",
        "settings" : {
          "name" : "Zoë \\"ß\\"\\n",
          "preset" : "tiny"
        },
        "manifestCrc32c" : "efe441d6"
      }
      """;

  private PinnedManifest() {}
}
