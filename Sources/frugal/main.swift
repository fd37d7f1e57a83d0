import Tensor
print("x")
