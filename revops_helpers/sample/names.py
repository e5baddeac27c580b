"""Invented names of people and companies. Domains end in .example and tax ids begin with 9, so none of them is anyone's."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from revops_helpers.sample import world as w


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Ana Beatriz Camila Daniela Eduarda Fernanda Gabriela Helena Isabela Juliana Larissa Mariana Natália Patrícia Rafaela Sofia "
    "Tatiane Vanessa André Bruno Caio Diego Eduardo Felipe Gustavo Henrique Igor João Leandro Lucas Marcelo Mateus Otávio Paulo "
    "Rafael Rodrigo Thiago Vinícius"
)
LAST = _words(
    "Almeida Andrade Barbosa Batista Campos Cardoso Carvalho Castro Costa Dias Duarte Farias Fernandes Ferreira Freitas Gomes "
    "Gonçalves Lima Lopes Machado Martins Melo Mendes Moraes Moreira Moura Nascimento Nogueira Nunes Oliveira Pereira Pinto "
    "Prado Ramos Ribeiro Rocha Rodrigues Santana Santos Silva Siqueira Souza Teixeira Vieira"
)
TITLES = (
    "Diretora Comercial",
    "Diretor de Operações",
    "Gerente de Vendas",
    "Coordenadora de TI",
    "Analista Fiscal",
    "Sócio",
    "Gerente de Suprimentos",
    "Controller",
)
FRONT = _words(
    "Aurora Serra Vale Porto Campo Monte Rio Bela Nova Alto Pedra Lago Costa Ponte Flor Sol Lua Terra Mar Norte Ouro Prata Ferro "
    "Cobre Ipê Jatobá Cedro Pinheiro Imbuia Peroba Jacarandá Angico Aroeira Buriti Caju Guará Tucano Arara Sabiá Colibri"
)
BACK = _words(
    "Azul Verde Claro Dourado Bravo Firme Forte Real Livre Vivo Sereno Largo Novo Antigo Grande Central Leal Puro Nobre Certo "
    "Justo Manso Amplo Pleno Raro Breve Solar Lunar Austral Boreal"
)
TRADES = {
    "Agronegócio": ("Agro", "Grãos", "Sementes", "Cooperativa"),
    "Indústria": ("Metalúrgica", "Plásticos", "Máquinas", "Embalagens"),
    "Varejo": ("Comércio", "Mercados", "Móveis", "Calçados"),
    "Saúde": ("Clínicas", "Laboratórios", "Farma", "Odonto"),
    "Logística": ("Transportes", "Logística", "Armazéns", "Expresso"),
    "Serviços": ("Serviços", "Consultoria", "Engenharia", "Segurança"),
    "Educação": ("Ensino", "Colégios", "Cursos", "Editora"),
}
CITIES = _words(
    "Curitiba Londrina Maringá Joinville Blumenau Chapecó Pelotas Caxias Campinas Sorocaba Santos Bauru Uberaba Betim Vitória "
    "Niterói Salvador Recife Natal Fortaleza Goiânia Anápolis Cuiabá Manaus Belém"
)


def plain(word: str) -> str:
    """Lower case without accents or spaces."""
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower().replace(" ", "")


def _take(words: Sequence[str], index: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(index))


def persons(rng: np.random.Generator, n: int) -> tuple[pd.Series, pd.Series]:
    """n full names and the local parts of their addresses, which carry a number so that they are unique."""
    a, b = rng.integers(0, len(FIRST), n), rng.integers(0, len(LAST), n)
    name = pc.binary_join_element_wise(_take(FIRST, a), _take(LAST, b), " ")
    number = pa.array(np.arange(1, n + 1)).cast(pa.string())
    short_a, short_b = [plain(x) for x in FIRST], [plain(x) for x in LAST]
    local = pc.binary_join_element_wise(_take(short_a, a), _take(short_b, b), number, ".")
    return w.text(name), w.text(local)


def companies(industry: np.ndarray, n: int, first: int = 0) -> tuple[pd.Series, pd.Series]:
    """n company names with their domains, all different, spread over the words by a stride; the trade fits the industry."""
    sizes = (len(FRONT), len(BACK), 4, len(CITIES))
    total = int(np.prod(sizes))
    k = (np.arange(first, first + n, dtype=np.int64) * 77_773 + 11) % total
    f, k = k % sizes[0], k // sizes[0]
    b, k = k % sizes[1], k // sizes[1]
    t, c = k % sizes[2], k // sizes[2]
    trades = [trade for name in w.INDUSTRIES for trade in TRADES[name]]
    trade, again = industry * 4 + t, np.arange(first, first + n) // total
    number = pa.array(again + 1).cast(pa.string())
    words = [_take(trades, trade), _take(FRONT, f), _take(BACK, b), _take(CITIES, c)]
    name = pc.binary_join_element_wise(*words, " ")
    name = pc.if_else(pa.array(again > 0), pc.binary_join_element_wise(name, number, " "), name)
    short = [[plain(x) for x in group] for group in (trades, FRONT, BACK, CITIES)]
    parts = [_take(group, index) for group, index in zip(short, (trade, f, b, c), strict=True)]
    slug = pc.binary_join_element_wise(pc.binary_join_element_wise(*parts[:3], ""), parts[3], "-")
    slug = pc.if_else(pa.array(again > 0), pc.binary_join_element_wise(slug, number, "-"), slug)
    return w.text(name), w.text(pc.binary_join_element_wise(slug, ".example", ""))


def cnpj(index: np.ndarray, lettered: np.ndarray, branch: int = 1) -> pd.Series:
    """Formatted CNPJ with right check digits; those issued since July 2026 carry letters. The root begins with 9."""
    digits = np.zeros((len(index), 14), dtype=np.int64)
    number = 90_000_000 + np.asarray(index, dtype=np.int64) * 7
    for place in range(8):
        digits[:, 7 - place] = number // 10**place % 10
    digits[lettered, 1] = 17 + index[lettered] % 26  # A is 17, as the rule of the Receita counts characters
    for place in range(4):
        digits[:, 11 - place] = branch // 10**place % 10
    digits[:, 12:] = check_digits(digits[:, :12])
    letters = pa.array([chr(48 + k) for k in range(43)])
    columns = [letters.take(pa.array(digits[:, k])) for k in range(14)]
    parts = [*columns[:2], ".", *columns[2:5], ".", *columns[5:8], "/", *columns[8:12], "-", *columns[12:]]
    return w.text(pc.binary_join_element_wise(*parts, ""))


def check_digits(places: np.ndarray) -> np.ndarray:
    """The two check digits of CNPJs given as 12 values each (a digit is itself, A is 17): modulo 11, IN RFB 2.229/2024."""
    whole = np.concatenate([places, np.zeros((len(places), 2), dtype=np.int64)], axis=1)
    for length in (12, 13):
        weights = np.array([(length - 1 - i) % 8 + 2 for i in range(length)])
        rest = (whole[:, :length] * weights).sum(axis=1) % 11
        whole[:, length] = np.where(rest < 2, 0, 11 - rest)
    return whole[:, 12:]


def phones(rng: np.random.Generator, n: int) -> pd.Series:
    """Mobile numbers in the range 90000, in several states."""
    area = _take(("41", "11", "51", "62", "81", "31"), rng.integers(0, 6, n))
    line = pc.utf8_lpad(pa.array(rng.integers(0, 10**4, n)).cast(pa.string()), 4, "0")
    return w.text(pc.binary_join_element_wise("+55 ", area, " 90000-", line, ""))
