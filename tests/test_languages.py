"""French, German, Spanish and Japanese: what questions are understood as, and that a language is data that is complete."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.answer import compose
from kilowhat.plugin.asking import plan_for, run
from kilowhat.plugin.phrases import load as phrases
from kilowhat.plugin.understanding import compile as lexicon
from kilowhat.plugin.understanding.recognise import read, recognise
from kilowhat.plugin.understanding.understand import understand
from kilowhat.plugin.wording import wording
from kilowhat.tools.core.compile import read_yaml

IMAGES = {"task": "image-generation"}
TEXTS = {"task": "text-generation"}
H100_WEEK = {"count": 8, "device": "nvidia-h100-sxm", "hours": 168}
PHONES = {"quantity": "estimate_task?task=image-generation&count=1000", "equivalents": ["phone-charge"]}

QUESTIONS = [
    ("fr", "Combien d'énergie faut-il pour générer 1 000 images ?", [("estimate_task", {**IMAGES, "count": 1000})]),
    ("fr", "Quelle est l’empreinte carbone de 2500 images générées en France ?", [("estimate_task", {**IMAGES, "count": 2500, "region": "FRA"})]),
    ("fr", "l'eau consommée par la génération de texte 5 000 fois", [("estimate_task", {**TEXTS, "count": 5000})]),
    ("fr", "Quelle quantité de CO2 pour entraîner GPT-3 ?", [("estimate_training", {"model": "gpt-3"})]),
    ("fr", "8 H100 pendant une semaine en Allemagne", [("estimate_fleet", {**H100_WEEK, "region": "DEU"})]),
    ("fr", "Combien consomment 8 cartes H100 pendant 2 semaines au Japon ?", [("estimate_fleet", {**H100_WEEK, "hours": 336, "region": "JPN"})]),
    ("fr", "Gemini reçoit 2 millions de requêtes par jour : quelle consommation électrique ?", [("estimate_service", {"service": "gemini", "requests_per_day": 2e6})]),
    ("fr", "8 H100 24 heures sur 24 pendant une semaine", [("estimate_fleet", H100_WEEK)]),
    ("fr", "deux mille cinq cents images IA en Norvège", [("estimate_task", {**IMAGES, "count": 2500, "region": "NOR"})]),
    ("fr", "une demi-douzaine de résumés aux États-Unis", [("estimate_task", {"task": "summarization", "count": 6, "region": "USA"})]),
    ("fr", "1 000 images, ça fait combien de recharges de téléphone ?", [("estimate_task", {**IMAGES, "count": 1000}), ("convert_to_equivalents", PHONES)]),
    ("fr", "500 kWh en Suède, combien de CO2 ?", [("convert_energy_to_emissions", {"energy": "500.0 kWh", "region": "SWE"})]),
    ("de", "Wie viel Strom verbrauchen 1.000 KI-Bilder?", [("estimate_task", {**IMAGES, "count": 1000})]),
    ("de", "CO2-Ausstoß für 2.500 generierte Bilder in Frankreich", [("estimate_task", {**IMAGES, "count": 2500, "region": "FRA"})]),
    ("de", "Wie hoch ist der Wasserverbrauch, wenn ich 5.000 Mal Text generieren lasse?", [("estimate_task", {**TEXTS, "count": 5000})]),
    ("de", "Welche Treibhausgasemissionen hatte das Training von GPT-3?", [("estimate_training", {"model": "gpt-3"})]),
    ("de", "8 H100 eine Woche lang in Deutschland", [("estimate_fleet", {**H100_WEEK, "region": "DEU"})]),
    ("de", "Energiebedarf von 8 H100 über 2 Wochen in Norwegen?", [("estimate_fleet", {**H100_WEEK, "hours": 336, "region": "NOR"})]),
    ("de", "Gemini bekommt 1,5 Mio. Anfragen pro Tag, wie viel Energie ist das?", [("estimate_service", {"service": "gemini", "requests_per_day": 1.5e6})]),
    ("de", "ein halbes Dutzend Zusammenfassungen in der Schweiz", [("estimate_task", {"task": "summarization", "count": 6, "region": "CHE"})]),
    ("de", "Wie viele Handyladungen sind 1.000 Bilder?", [("estimate_task", {**IMAGES, "count": 1000}), ("convert_to_equivalents", PHONES)]),
    ("de", "0,3 Wh pro Anfrage bei 2 Mrd. Anfragen am Tag", [("estimate_service", {"energy_wh_per_request": 0.3, "requests_per_day": 2e9})]),
    ("de", "Stromverbrauch zweihundertfünfzig Bilder", [("estimate_task", {**IMAGES, "count": 250})]),
    ("es", "8 H100 las 24 horas durante una semana en Chile", [("estimate_fleet", {**H100_WEEK, "region": "CHL"})]),
    ("es", "¿Cuánta energía consumen 1.000 imágenes?", [("estimate_task", {**IMAGES, "count": 1000})]),
    ("es", "¿Cuál es la huella de carbono de 2500 imágenes en España?", [("estimate_task", {**IMAGES, "count": 2500, "region": "ESP"})]),
    ("es", "¿Cuánta agua gasta la generación de texto si la uso 5 mil veces?", [("estimate_task", {**TEXTS, "count": 5000})]),
    ("es", "¿Cuánto CO2 se emitió al entrenar GPT-3?", [("estimate_training", {"model": "gpt-3"})]),
    ("es", "8 H100 durante una semana en Alemania", [("estimate_fleet", {**H100_WEEK, "region": "DEU"})]),
    ("es", "consumo de 8 H100 durante 2 semanas en Japón", [("estimate_fleet", {**H100_WEEK, "hours": 336, "region": "JPN"})]),
    ("es", "Gemini recibe 2 mil millones de consultas al día, ¿cuánta electricidad es?", [("estimate_service", {"service": "gemini", "requests_per_day": 2e9})]),
    ("es", "media docena de resúmenes en México", [("estimate_task", {"task": "summarization", "count": 6, "region": "MEX"})]),
    ("es", "¿A cuántas cargas de móvil equivalen 1.000 imágenes?", [("estimate_task", {**IMAGES, "count": 1000}), ("convert_to_equivalents", PHONES)]),
    ("es", "doscientas cincuenta imagenes con IA", [("estimate_task", {**IMAGES, "count": 250})]),
    ("ja", "画像を1000枚生成するのに必要な電力は？", [("estimate_task", {**IMAGES, "count": 1000})]),
    ("ja", "フランスで画像を２,５００枚生成するとCO2はどれくらい？", [("estimate_task", {**IMAGES, "count": 2500, "region": "FRA"})]),
    ("ja", "テキスト生成5千回で使う水の量は？", [("estimate_task", {**TEXTS, "count": 5000})]),
    ("ja", "GPT-3の学習でどれだけCO2を排出しましたか？", [("estimate_training", {"model": "gpt-3"})]),
    ("ja", "H100を8台、ドイツで一週間動かすとどのくらいのエネルギー？", [("estimate_fleet", {**H100_WEEK, "region": "DEU"})]),
    ("ja", "日本で8台のH100を2か月稼働させる電力量", [("estimate_fleet", {**H100_WEEK, "hours": 1460, "region": "JPN"})]),
    ("ja", "Geminiへのプロンプトが毎日200万回、消費電力は？", [("estimate_service", {"service": "gemini", "requests_per_day": 2e6})]),
    ("ja", "ノルウェーで画像を二百五十枚生成", [("estimate_task", {**IMAGES, "count": 250, "region": "NOR"})]),
    ("ja", "画像1000枚はスマホの充電何回分ですか？", [("estimate_task", {**IMAGES, "count": 1000}), ("convert_to_equivalents", PHONES)]),
    ("ja", "半ダースの要約をアメリカで", [("estimate_task", {"task": "summarization", "count": 6, "region": "USA"})]),
]


@pytest.mark.parametrize(("language", "question", "calls"), QUESTIONS)
def test_a_question_is_understood(language, question, calls):
    plan = understand([("user", question)])
    assert plan.language == language
    assert [(call.tool, call.arguments) for call in plan.calls] == calls


@pytest.mark.parametrize(
    ("question", "unit", "value"),
    [
        ("1 000 images en wattheures", "Wh", 2907),
        ("Combien de mégawattheures pour entraîner GPT-3 ?", "MWh", 1287),
        ("1.000 Bilder in Wattstunden", "Wh", 2907),
        ("Wie viele Kilowattstunden brauchen 1.000 KI-Bilder?", "kWh", 2.907),
        ("1.000 imágenes en vatios hora", "Wh", 2907),
        ("el entrenamiento de GPT-3 en kilogramos de CO2", "kg CO2e", 552100),
        ("画像1000枚は何Wh？", "Wh", 2907),
        ("GPT-3の学習は何トンのCO2ですか？", "t CO2e", 552.1),
    ],
)
def test_the_answer_is_in_the_unit_asked(question, unit, value):
    head = ask(question).results[0]
    assert head.unit == unit
    assert head.value == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        ("Quelle est l'empreinte carbone de 1000 images en France ?", "fr", ["images générées", "intervalle à 80", "électricité", "Calcul", "Hypothèses", "dans l'original", "(France)"]),
        ("Wie viel Strom verbrauchen 8 H100 eine Woche lang?", "de", ["Strom für 8", "Emissionen", "Rechnung", "Angenommen", "im Original"]),
        ("¿Cuánta energía consumen 1.000 imágenes?", "es", ["de electricidad para 1.000", "intervalo publicado", "emisiones", "Cálculo", "Supuestos", "en el original"]),
        ("画像を1000枚生成するのに必要な電力は？", "ja", ["画像生成 1,000 枚の電力量", "公表された範囲", "排出量", "計算：", "仮定：", "原文の数値"]),
        ("Combien consomme Suno pour 10 chansons ?", "fr", ["Aucun chiffre fiable"]),
        ("Wie viel Strom braucht Suno für 10 Lieder?", "de", ["keine verlässliche Zahl"]),
        ("¿Cuánto consume Suno para 10 canciones?", "es", ["ninguna cifra fiable"]),
        ("Sunoの曲10曲の電力は？", "ja", ["信頼できる公表値"]),
    ],
)
def test_the_answer_is_in_the_language_of_the_question(question, language, words):
    reply = ask(question)
    assert reply.language == language
    for word in words:
        assert word in reply.text


@pytest.mark.parametrize(
    ("question", "language", "words"),
    [
        ("Quel temps fera-t-il demain à Oslo ?", "fr", "répondre"),
        ("Quelle est la meilleure recette de crêpes ?", "fr", "répondre"),
        ("Bonjour !", "fr", "Demandez-moi"),
        ("Wie wird das Wetter morgen in Oslo?", "de", "nicht beantworten"),
        ("Hast du ein Rezept für Apfelkuchen?", "de", "nicht beantworten"),
        ("Guten Tag!", "de", "Fragen Sie"),
        ("¿Qué tiempo hará mañana en Oslo?", "es", "No puedo responder"),
        ("¿Cuántas calorías tienen 1000 palomitas?", "es", "No puedo responder"),
        ("¡Hola, buenos días!", "es", "Pregúntame"),
        ("明日のオスロの天気は？", "ja", "お答えできません"),
        ("おいしいラーメン屋を教えて", "ja", "お答えできません"),
        ("こんにちは", "ja", "お尋ねください"),
    ],
)
def test_other_subjects_and_greetings_are_answered_in_one_sentence_of_the_language(question, language, words):
    reply = ask(question)
    assert (reply.outcome, reply.language) == ("declined", language)
    assert reply.results == [] and reply.tool_calls == []
    assert words in reply.text


@pytest.mark.parametrize(
    ("first", "follow_up", "region"),
    [
        ("Combien d'énergie pour 1000 images ?", "Et en Suède ?", "SWE"),
        ("Wie viel Strom brauchen 1.000 Bilder?", "Und in Polen?", "POL"),
        ("¿Cuánta energía consumen 1.000 imágenes?", "¿Y en Francia?", "FRA"),
        ("画像1000枚の電力は？", "ノルウェーでは？", "NOR"),
    ],
)
def test_a_follow_up_changes_the_place(first, follow_up, region):
    plan = understand([("user", first), ("assistant", "…"), ("user", follow_up)])
    assert [(call.tool, call.arguments) for call in plan.calls] == [("estimate_task", {**IMAGES, "count": 1000, "region": region})]


@pytest.mark.parametrize(
    ("word", "language", "other"),
    [
        ("or", "en", "fr"),
        ("a day", "en", "es"),
        ("on", "en", "fr"),
        ("o", "es", "en"),
        ("als", "de", "en"),
        ("im Jahr", "de", "en"),
        ("jour", "fr", "de"),
        ("en", "fr", "de"),
        ("mot", "fr", "en"),
        ("luz", "es", "fr"),
        ("docena", "es", "fr"),
    ],
)
def test_a_word_counts_in_its_own_language_alone(word, language, other):
    assert recognise(word, language)
    assert not recognise(word, other)


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "ja", "zh-Hans", "zh-Hant"])
def test_a_name_counts_in_every_language(language):
    for name in ("Alemania", "Deutschland", "Allemagne", "ドイツ", "德国", "Germany"):
        assert [mention.names["place"] for mention in recognise(name, language)] == ["DEU"]


def test_english_words_stand_in_chinese_and_japanese():
    for question in ("GPT-3 training 用多少电", "GPT-3のtrainingの電力は？"):
        assert [call.arguments for call in understand([("user", question)]).calls] == [{"model": "gpt-3"}]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("1000 images", "en"),
        ("1000 images en France", "fr"),
        ("8 H100 in Des Moines", "en"),
        ("10 Gemini Pro prompts", "en"),
        ("1000 Le Chat requests", "en"),
        ("images in Los Angeles", "en"),
        ("Stromverbrauch GPT-3", "de"),
        ("agua GPT-3", "es"),
        ("énergie GPT-3", "fr"),
        ("1000 Anfragen an GPT-4o mit 200 Token", "de"),
        ("1000 peticiones a GPT-4o de 200 tokens", "es"),
        ("1000 requêtes à GPT-4o de 200 jetons", "fr"),
        ("GPT-4o contre Gemini", "fr"),
        ("L'empreinte carbone d'un million d'images", "fr"),
    ],
)
def test_the_language_is_told_from_few_words(text, language):
    assert read(text)[1] == language


LEXICONS = {path.stem: read_yaml(path) for path in sorted(lexicon.HERE.glob("*.yaml"))}
PHRASES = {path.stem: read_yaml(path) for path in sorted(Path(phrases.COMPILED).parent.glob("*.yaml"))}
LANGUAGES = ["de", "en", "es", "fr", "ja", "zh-Hans", "zh-Hant"]


def test_each_language_has_a_lexicon_and_phrases():
    assert sorted(LEXICONS) == sorted(PHRASES) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lexicon_has_all_senses_and_no_others(language):
    assert list(LEXICONS[language]["senses"]) and set(LEXICONS[language]["senses"]) == set(LEXICONS["en"]["senses"])
    for sense, words in LEXICONS[language]["senses"].items():
        assert words, sense
        assert len(words) == len(set(map(str, words))), sense


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_a_mark_of_a_language_marks_no_other_but_english(language):
    others = {mark for other in {"de", "es", "fr"} - {language} for mark in LEXICONS[other]["marks"]}
    assert not others & set(LEXICONS[language]["marks"])


def leaves(content, path=()):
    if not isinstance(content, dict):
        return {path: set(re.findall(r"{(\w+)}", str(content)))}
    if "other" in content and set(content) <= {"one", "other"}:
        return {path: set().union(*(re.findall(r"{(\w+)}", str(form)) for form in content.values()))}
    return {key: slots for name, below in content.items() for key, slots in leaves(below, (*path, name)).items()}


OWN = {"whys", "what", "units", "asked", "instead", "magnitudes", "places", "fields", "errors", "things", "forecasts", "says"}
"""Groups of which each language has what it needs: names, units, sayings that others leave to the tool's English, and reasons that English has from the claims."""

ENGLISH_ALONE = {"told"}
"""What only English has: the sentences of the tools by which the sayings are found."""


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_a_phrase_file_has_all_phrases_with_their_slots(language):
    told, english = leaves(PHRASES[language]), leaves(PHRASES["en"])
    ruled = {path for path in english if path[0] not in OWN | ENGLISH_ALONE}
    assert not ruled - told.keys()
    assert not {path for path in told if path[0] not in OWN} - english.keys()
    for path in ruled:
        assert told[path] <= english[path] or path[0] in ("reference", "press_claim"), path


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_every_language_says_and_names_what_chinese_does(language):
    for group in ("says", "things", "forecasts", "errors", "fields"):
        assert leaves(PHRASES[language][group]).keys() == leaves(PHRASES["zh-Hans"][group]).keys(), group


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_saying_fills_only_slots_that_its_sentence_has(language):
    patterns = PHRASES["en"]["told"]
    known = {"year_of_a_country": {"number", "place"}}
    for name, slots in leaves(PHRASES[language]["says"]).items():
        told = patterns.get(name[0], "")
        shared = [set(re.findall(r"{(\w+)}", pattern)) for pattern in ([told] if isinstance(told, str) else told)]
        assert name[0] in patterns or name[0] in known, name
        assert slots <= known.get(name[0], set().union(*shared)), name


def test_english_says_nothing_that_others_leave_out_but_shorter_words():
    missing = PHRASES["en"]["says"].keys() - PHRASES["zh-Hans"]["says"].keys()
    assert missing <= {"primary", "overlap", "left_out"}


@pytest.mark.parametrize(
    ("question", "told", "english"),
    [
        ("combien d'eau pour 1 MWh chez Microsoft ?", "0 à 1,9 L/kWh", "1.9"),
        ("¿cuánta agua gastan 1000 imágenes?", "11 L", "0.1"),
        ("Wie viel Wasser verbraucht 1 MWh bei Microsoft?", "1,9 L/kWh", "1.9"),
    ],
)
def test_the_numbers_of_a_note_are_written_as_the_language_does(question, told, english):
    body = ask(question).text.partition("\n\n[1]")[0]
    assert told in body and english not in body


def test_a_number_with_a_unit_that_a_tool_tells_is_written_as_the_language_does():
    words = wording("es")
    assert (words.in_text("5,439,000 L"), words.in_text("0.5 kWh"), words.in_text("GPT-3.5 Turbo")) == ("5.439.000 L", "0,5 kWh", "GPT-3.5 Turbo")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_lines_of_a_verdict_have_one_label(language):
    claims = [
        "Is it true that a ChatGPT query takes 3 Wh, ten times a Google search?",
        "Is it true that ten days of ChatGPT use 84 TWh?",
        "Is it true that training GPT-3 used 2000 MWh?",
        "Is it true that a Gemini prompt takes 3 Wh?",
    ]
    for claim in claims:
        plan = plan_for([("user", claim)])
        body = compose(replace(plan, language=language), run(plan)).text.partition("\n\n[1]")[0]
        labels = re.findall(r"^([^:：\n]+?) ?[:：] ?\*\*", body, re.MULTILINE)
        assert len(labels) == len(set(labels)), body


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("Wie viele Haushalte versorgen 10 GWh ein Jahr lang?", "eu-home-year"),
        ("Combien de foyers pendant un an pour 10 GWh ?", "eu-home-year"),
        ("¿cuántos hogares durante un año son 10 GWh?", "eu-home-year"),
        ("Wie viele US-Haushalte sind 10 GWh?", "us-home-year"),
        ("how many homes for a year are 10 GWh?", "us-home-year"),
        ("10 GWh 是多少家庭一年的用電？", "us-home-year"),
    ],
)
def test_homes_are_those_of_where_the_language_is_spoken_unless_others_are_named(question, thing):
    assert ask(question).tool_calls[0].arguments["equivalents"] == [thing]
