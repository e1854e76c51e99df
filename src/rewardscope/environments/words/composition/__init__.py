"""Functions on strings under names that say nothing, composed; what does the composition return?"""
