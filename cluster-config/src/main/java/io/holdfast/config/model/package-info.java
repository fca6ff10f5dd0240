/** The shape of a model: tables, NN layout, initial values, optimizers, presets. */
package io.holdfast.config.model;
