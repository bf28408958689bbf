"""WideResNets by width and normalisation, trained adversarially: Table 1 and Figures 1 to 3 of ConvNorm."""
