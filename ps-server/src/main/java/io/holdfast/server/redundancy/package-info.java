/**
 * How what a server has changed becomes redundant. The origin's side: {@link
 * io.holdfast.server.redundancy.Origin} makes differences and keeps them in one {@link
 * io.holdfast.server.redundancy.OutStream} for each other server until they are acknowledged. The
 * holder's side: {@link io.holdfast.server.redundancy.Holder} takes every stream's items in order,
 * folds them and acknowledges.
 */
package io.holdfast.server.redundancy;
