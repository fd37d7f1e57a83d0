import Testing
import Tensor
@Test func placeholderDatasets() { #expect(MemoryLayout<Real>.size > 0) }
