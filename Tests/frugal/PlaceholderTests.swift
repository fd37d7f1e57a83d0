import Tensor
import Testing

@Test func placeholderfrugal() { #expect(MemoryLayout<Real>.size > 0) }
