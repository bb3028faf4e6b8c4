print("sterna")
