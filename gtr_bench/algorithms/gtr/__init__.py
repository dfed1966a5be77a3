"""GTR as this project reconstructs it from the paper's abstract (arXiv 2606.03382); not the authors' equations."""
