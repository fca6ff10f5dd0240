package io.holdfast.erasure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

final class GaloisFieldTest {

  @Test
  void shouldMultiplyLikeCarrylessMultiplicationModuloThePolynomial() {
    for (int a = 0; a < 256; a++) {
      for (int b = 0; b < 256; b++) {
        assertEquals(slowProduct(a, b), GaloisField.multiply(a, b), a + " * " + b);
      }
    }
  }

  @Test
  void shouldInvertEveryElementButZero() {
    for (int a = 1; a < 256; a++) {
      assertEquals(1, GaloisField.multiply(a, GaloisField.inverse(a)));
    }
    assertThrows(ArithmeticException.class, () -> GaloisField.inverse(0));
  }

  private static int slowProduct(int a, int b) {
    int product = 0;
    for (int bit = 0; bit < 8; bit++) {
      if ((b >> bit & 1) == 1) {
        product ^= a << bit;
      }
    }
    for (int bit = 14; bit >= 8; bit--) {
      if ((product >> bit & 1) == 1) {
        product ^= 0x11D << (bit - 8);
      }
    }
    return product;
  }
}
