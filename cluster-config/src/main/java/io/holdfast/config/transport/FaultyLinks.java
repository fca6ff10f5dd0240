package io.holdfast.config.transport;

import io.holdfast.config.fault.LinkFaults;
import io.holdfast.config.placement.NodeId;

/** Links that can be told to lose frames, or to be late with them. */
public final class FaultyLinks implements LinkFactory {
  private final LinkFactory links;
  private final LinkFaults faults;

  /**
   * Wraps links.
   *
   * @param faults of all links that are opened here
   */
  public FaultyLinks(LinkFactory links, LinkFaults faults) {
    this.links = links;
    this.faults = faults;
  }

  @Override
  public String endpoint() {
    return links.endpoint();
  }

  @Override
  public DataLink open(NodeId self) {
    return new FaultyLink(links.open(self), faults, System::nanoTime);
  }

  @Override
  public void close() {
    links.close();
  }
}
