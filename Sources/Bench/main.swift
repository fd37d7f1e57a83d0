import Tensor

print("x")
