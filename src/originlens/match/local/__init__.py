"""Local features as compact codes: what finds a small part of a picture among many pictures.

A global descriptor answers for a whole view; a picture that fills a tenth of a query, or a tenth of
a picture that fills a query, is lost in it. Here each picture is some two hundred points, each with
a visual word and 64 bits (Jegou, Douze, Schmid, "Hamming embedding and weak geometric consistency",
ECCV 2008), kept in inverted lists by the store. Points of a query that meet an asset's in a list
vote for it, and those that agree on one similarity transform decide.

``keypoints`` finds points, ``patches`` describes them, ``coding`` makes words and bits of that,
``voting`` ranks the assets that the lists return.
"""
