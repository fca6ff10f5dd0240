package io.holdfast.config.protocol;

/**
 * What each Stage message tells of its transaction.
 *
 * @param tx the transaction
 * @param watermark all sequences up to this one are applied everywhere
 * @param learningRate of this iteration
 * @param owner the server whose part this is; another than the addressee if that is a witness
 * @param range the data that it learned from
 * @param part number of this Stage message among those that this server gets, from 0
 * @param parts how many Stage messages this server gets
 */
public record TxHeader(
    TxId tx, long watermark, float learningRate, int owner, DataRange range, int part, int parts) {}
