import Testing
import Tensor
@Test func placeholderfrugal() { #expect(MemoryLayout<Real>.size > 0) }
