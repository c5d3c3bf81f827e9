"""Parts of a question that belong together: everyday things in several words, sizes of a family, two things against each other, and questions that go on."""

import math

import pytest

from kilowhat.plugin import ask
from kilowhat.plugin.understanding.understand import understand


def calls(question, *earlier):
    turns = [turn for text in earlier for turn in (("user", text), ("assistant", "…"))]
    return [(call.tool, call.arguments) for call in understand([*turns, ("user", question)]).calls]


def sides(question, *earlier):
    ((tool, arguments),) = calls(question, *earlier)
    assert tool == "compare"
    return {item["quantity"] for item in arguments["items"]}


@pytest.mark.parametrize(
    ("question", "thing"),
    [
        ("training BLOOM in Danish households", "dk-home-year"),
        ("Das Training von BLOOM, in Haushalten in Großbritannien?", "uk-home-year"),
        ("L'entraînement de BLOOM en foyers italiens ?", "eu-home-year"),
        ("训练 BLOOM 的电够多少德国家庭用？", "eu-home-year"),
        ("how many homes in Spain is the electricity of training BLOOM?", "eu-home-year"),
        ("training BLOOM as flights from Paris to London", "flight-paris-london"),
        ("training BLOOM, in flights between Dublin and Paris", "flight-paris-dublin"),
        ("训练 BLOOM 相当于几次旧金山到纽约的往返航班", "flight-sf-ny-return"),
        ("how many flights from Rome to Madrid is training BLOOM?", "flight-km"),
    ],
)
def test_places_of_homes_and_flights_are_not_where_something_runs(question, thing):
    (run, arguments), (_, equivalents) = calls(question)
    assert (run, arguments) == ("estimate_training", {"model": "bloom-176b"})
    assert equivalents["equivalents"] == [thing]


@pytest.mark.parametrize("question", ["how many homes in Peru is training BLOOM?", "how many flights from Rome to Madrid is training BLOOM?"])
def test_homes_and_flights_without_a_figure_are_named(question):
    assert "Not taken into account" in ask(question).text


def test_a_flight_leaves_the_place_of_the_run():
    assert calls("training BLOOM in Poland: how many flights Paris to London?")[0] == ("estimate_training", {"model": "bloom-176b", "region": "POL"})


@pytest.mark.parametrize(
    ("question", "runs"),
    [
        ("Llama 2: did training the 7B or the 13B emit more?", {"llama-2-7b", "llama-2-13b"}),
        ("Llama 3.1の8Bと405B、学習の排出量は何倍？", {"llama-3-1-8b", "llama-3-1-405b"}),
    ],
)
def test_sizes_belong_to_the_family_before_them(question, runs):
    assert sides(question) == {f"estimate_training?model={run}#emissions" for run in runs}


@pytest.mark.parametrize(
    ("question", "earlier", "model"),
    [
        ("and the 13B?", "What did training Llama 2 70B emit?", "llama-2-13b"),
        ("¿y el de 13B?", "¿Cuánto emitió entrenar Llama 2 70B?", "llama-2-13b"),
        ("what about Maverick?", "electricity of training Llama 4 Scout", "llama-4-maverick"),
    ],
)
def test_a_size_or_a_variant_follows_its_family(question, earlier, model):
    assert calls(question, earlier)[0][1]["model"] == model


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("CO2 of 40 Gemini prompts against three hours of Netflix", "#emissions"),
        ("Wasserverbrauch von 40 Gemini-Anfragen gegen drei Stunden Netflix", "#water"),
    ],
)
def test_both_sides_are_in_the_quantity_asked(question, wanted):
    assert all(side.endswith(wanted) for side in sides(question))


@pytest.mark.parametrize("question", ["Is Llama 3.1 8B greener than Gemini?", "Gemini ou Llama 3.1 8B, lequel consomme le plus ?"])
def test_a_model_beside_a_service_is_asked_for_its_answers(question):
    assert sides(question) >= {"estimate_llm?model=Llama-3.1-8B"} or any(side.startswith("estimate_llm?model=Llama-3.1-8B") for side in sides(question))


def test_a_difference_and_a_percentage_are_no_ratio():
    ((tool, arguments),) = calls("How many tonnes more did training GPT-3 emit than training Llama 2 70B, what is the difference?")
    assert (tool, arguments["expression"]) == ("calculate", "estimate_training?model=gpt-3#emissions - estimate_training?model=llama-2-70b#emissions")
    ((tool, arguments),) = calls("By what percentage is the rated power of an H100 above that of an A100?")
    assert ask("By what percentage is the rated power of an H100 above that of an A100?").results[0].value == pytest.approx(75)


def test_sectors_are_set_against_each_other():
    assert sides("does bitcoin need more electricity than data centres?") == {"fact:bitcoin-electricity-2024-cambridge", "fact:world-data-centres-electricity-2025-iea"}


def test_devices_on_which_a_model_runs_are_no_second_thing():
    ((tool, arguments), *_) = calls("Qwen3 32B answers 1000 requests of 200 tokens on two H100")
    assert (tool, arguments["accelerator"], arguments["accelerator_count"]) == ("estimate_llm", "nvidia-h100-sxm", 2)


@pytest.mark.parametrize(
    ("question", "earlier", "expected"),
    [
        ("compare it with 12 summaries", "energy for 30 images", {"estimate_task?task=image-generation&count=30#energy", "estimate_task?task=summarization&count=12#energy"}),
        ("那跟三部视频比呢？", "三十张图用多少电", {"estimate_task?task=image-generation&count=30#energy", "estimate_task?task=video-generation&count=3#energy"}),
    ],
)
def test_a_thing_is_set_against_what_was_asked_before(question, earlier, expected):
    assert sides(question, earlier) == expected


@pytest.mark.parametrize(
    ("question", "earlier", "arguments"),
    [
        ("und 40 Videos?", "CO2 von 300 Bildern in Norwegen", {"task": "video-generation", "count": 40, "region": "NOR"}),
        ("and 2000?", "energy of 300 images", {"task": "image-generation", "count": 2000}),
        ("five times as many", "energy of 300 images", {"task": "image-generation", "count": 1500}),
        ("and if they were only classified?", "energy to caption 300 images", {"task": "image-classification", "count": 300}),
    ],
)
def test_a_question_goes_on_from_the_one_before(question, earlier, arguments):
    assert calls(question, earlier)[0] == ("estimate_task", arguments)


def test_a_new_run_leaves_the_place_of_the_question_before():
    assert calls("training GPT-3", "CO2 of 500 images in Sweden", "what about water?")[0] == ("estimate_training", {"model": "gpt-3"})


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("40 images a minute, energy per day", 57600),
        ("一天畫二十張圖, 一個月是幾度電", 20 * 730 / 24),
        ("I make 20 images a day, a month of 30 days: how much electricity?", 600),
        ("每天生成50张图，一年上班200天，多少度电", 10000),
        ("energy of image generation for 500 users", 500),
    ],
)
def test_periods_make_the_count(question, count):
    assert calls(question)[0][1]["count"] == pytest.approx(count)


def test_an_amount_told_of_one_request_is_for_each():
    ((tool, arguments), *_) = calls("Suppose one Gemini prompt took 2 Wh and there were 3 billion a day, how many homes is that?")
    assert (tool, arguments["energy_wh_per_request"], arguments["requests_per_day"]) == ("estimate_service", 2, 3e9)


def test_an_amount_told_for_each_home_divides():
    assert ask("If a home uses 4,000 kWh a year, how many homes is the electricity of training BLOOM?").results[0].value == pytest.approx(433_196 / 4000)


@pytest.mark.parametrize(
    ("question", "outcome", "reason"),
    [
        ("when should I run a 50 kWh job in Texas?", "needs_input", "which_intensities"),
        ("how many homes does OpenAI's Jupiter power?", "declined", "not_known"),
    ],
)
def test_what_nothing_is_known_of_is_not_guessed(question, outcome, reason):
    plan = understand([("user", question)])
    assert (plan.outcome, plan.reason) == (outcome, reason)


def test_an_accelerator_that_is_not_known_is_refused_by_its_name():
    assert "TPU v99" in ask("32 TPU v99 for a week").text


def test_a_megawatt_is_no_country():
    assert ask("How many MW do 2,000 H100 draw at PUE 1.2?").results[0].value == pytest.approx(2000 * 0.7 * 1.2 / 1000)


def test_grams_beside_an_energy_are_of_the_grid():
    ((tool, arguments), *_) = calls("A 90 kWh job at 500 g or later at 300 g: how much less CO2?")
    assert (tool, arguments["hourly_intensity_g_co2e_per_kwh"]) == ("choose_place_and_time", [500, 300])


def test_the_last_part_of_a_german_compound_says_what_it_is():
    assert calls("Strom für 300 Kundenbildgenerierungen")[0] == ("estimate_task", {"task": "image-generation", "count": 300})


@pytest.mark.parametrize(
    ("question", "tool", "told"),
    [
        ("8 H100 pendant 10 jours à 70 % de charge", "estimate_fleet", {"hours": 240, "utilisation": 0.7}),
        ("8 H100 10 días a 70 % de carga", "estimate_fleet", {"hours": 240, "utilisation": 0.7}),
        ("H100 8台を10日間、負荷70%", "estimate_fleet", {"hours": 240, "utilisation": 0.7}),
        ("96张H20连跑10天，每张按380瓦，一共多少度电", "estimate_fleet", {"count": 96, "power_w": 380}),
        ("机房里50台8卡A100服务器，每台6千瓦，一年用电多少？", "estimate_fleet", {"count": 50, "device": "dgx-a100", "power_w": 6000}),
        ("I trained on one RTX 4090 all weekend, 40h. kWh?", "estimate_training", {"hours": 40}),
        ("deepseek v3: 2.788M H800 hours x 700W = ? GWh", "estimate_fleet", {"hours": 2788000}),
        ("给40万张照片自动写图注（图像描述），大概几度电？", "estimate_task", {"task": "image-captioning", "count": 400000}),
        ("Llama 3.1 8B, 800 tokens in, 200 out, 5000 requests", "estimate_llm", {"input_tokens": 800, "output_tokens": 200}),
        ("FLUX.1 dev 28 steps, 200 images", "estimate_media", {"steps": 28, "count": 200}),
        ("1 million tokens of Llama 3.3 70B on H100 in FP8", "estimate_llm", {"weight_bits": 8}),
    ],
)
def test_what_belongs_to_what(question, tool, told):
    first, *_ = calls(question)
    assert first[0] == tool
    assert {name: first[1].get(name) for name in told} == told


@pytest.mark.parametrize(("question", "hours"), [("8 H100 for 2 to 3 weeks", [336, 504]), ("20 H100 entre 2 et 4 jours", [48, 96])])
def test_a_range_of_times_gives_both_ends(question, hours):
    assert [arguments["hours"] for _, arguments in calls(question)] == hours


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("DeepSeek-R1 on DeepSeek's own servers, short prompt (100 in, 300 out) - how many Wh according to Jegham et al.?", "deepseek-r1-request-energy-short-own-servers"),
        ("In Dodge et al. 2022, what average saving did a short DenseNet job get within 24 hours?", "flexible-start-saving-short-job"),
        ("open models that reason against models that do not: energy factor in AI Energy Score v2?", "reasoning-energy-ratio"),
        ("What does the Luccioni paper say for image generation?", "image-generation-energy"),
        ("energy of an image with tiny-sd?", "tiny-sd-image-energy"),
    ],
)
def test_what_a_source_says_is_looked_up(question, fact):
    assert calls(question) == [("look_up_references", {"query": fact})]


def test_an_article_before_a_number_is_no_device():
    ((tool, arguments), *_) = calls("How much water does a 100-word email by GPT-4 use?")
    assert (tool, arguments) == ("estimate_llm", {"model": "gpt-4"})


def test_a_flight_without_a_published_figure_is_no_kilometre():
    assert ask("5 flights from London to New York").outcome == "declined"
    assert "kilometres" in ask("how many flights from Paris to New York is training GPT-3?").text


def test_an_amount_for_each_divides_what_is_told():
    assert ask("The pipeline needed 12.3 GWh. How many EU households for a year, at 3,600 kWh each?").results[0].value == pytest.approx(3416.67, rel=1e-4)
    assert ask("GPT-3训练的1287兆瓦时，按人均居民用电1061度一年，够多少人用一年？").results[0].value == pytest.approx(1213, rel=1e-3)


def test_a_zone_tells_its_provider():
    ((tool, arguments), *_) = calls("which AWS region has the lowest carbon: us-east-1, eu-north-1 or ap-southeast-2, for 10 MWh")
    assert (tool, arguments["regions"]) == ("choose_place_and_time", ["us-east-1", "eu-north-1", "ap-southeast-2"])


@pytest.mark.parametrize("question", ["embodied plus operational carbon of 8 H100 over 4 years in Sweden", "8块H100用4年，含制造，在瑞典的总碳排放", "Cycle de vie de 8 H100 pendant 4 ans en Suède"])
def test_a_whole_life_is_making_and_running(question):
    first, *_ = calls(question)
    assert first[0] == "estimate_lifecycle"
    assert first[1] == {
        "embodied": "estimate_embodied?device=nvidia-h100-sxm&count=8&lifetime_years=4#emissions",
        "operation": "estimate_fleet?region=SWE&count=8&device=nvidia-h100-sxm&hours=35040#emissions",
    }


@pytest.mark.parametrize(("city", "country"), [("Lyon", "France"), ("Osaka", "Japan"), ("高雄", "Taiwan"), ("Nairobi", "Kenya")])
def test_a_city_has_the_electricity_of_its_country(city, country):
    assert ask(f"CO2 of 1 MWh in {city}").results[0].value == pytest.approx(ask(f"CO2 of 1 MWh in {country}").results[0].value)


@pytest.mark.parametrize("question", ["hourly intensities 300, 250, 180, 220, 400; 2 hour job of 10 kWh; best start?", "碳强度依次为300、250、180、220、400，10度的任务跑2小时，什么时候开始最好"])
def test_intensities_without_a_unit_are_grams_a_kwh(question):
    ((tool, arguments), *_) = calls(question)
    assert (tool, arguments["hourly_intensity_g_co2e_per_kwh"]) == ("choose_place_and_time", [300, 250, 180, 220, 400])


def test_a_side_that_nothing_knows_is_named():
    reply = ask("Which uses more: 1 hour of Zoom or 100 ChatGPT questions?")
    assert (reply.outcome, "Zoom" in reply.text) == ("declined", True)


@pytest.mark.parametrize(
    ("question", "count", "device"),
    [
        ("8xH100 for 3 days", 8, "nvidia-h100-sxm"),
        ("64×A100 for a day", 64, "nvidia-a100-sxm-80gb"),
        ("2x4090 for 5 hours", 2, "nvidia-rtx-4090"),
        ("H100 x8 pendant 3 jours", 8, "nvidia-h100-sxm"),
        ("8xDGX A100 for a day", 8, "dgx-a100"),
        ("3 nodes of 8xH100 for a week", 24, "nvidia-h100-sxm"),
        ("4 8xH100 nodes for a week", 32, "nvidia-h100-sxm"),
        ("two 8xA100 servers for a day", 2, "dgx-a100"),
        ("my 3090 for a day", 1, "nvidia-rtx-3090"),
    ],
)
def test_a_number_may_be_written_onto_a_device(question, count, device):
    ((tool, arguments), *_) = calls(question)
    assert (tool, arguments["count"], arguments["device"]) == ("estimate_fleet", count, device)


@pytest.mark.parametrize(
    "question",
    [
        "My 4090 draws 350 W, I use it 6 hours every evening; how much per month",
        "meine 4090 zieht 350 W, ich nutze sie jeden Abend 6 Stunden, wie viel im Monat?",
        "ma 4090 consomme 350 W, 6 heures chaque soir, combien par mois ?",
        "mi 4090 consume 350 W, la uso 6 horas cada noche, ¿cuánto al mes?",
        "我的4090功耗350瓦，每晚用6小时，一个月多少度电？",
        "我的4090功耗350瓦，每晚用6小時，一個月多少度電？",
        "私の4090は350Wで、毎晩6時間使います。月に何kWh？",
    ],
)
def test_a_card_is_no_count_and_every_evening_is_every_day(question):
    assert calls(question)[0] == ("estimate_fleet", {"count": 1, "device": "nvidia-rtx-4090", "power_w": 350, "hours": pytest.approx(6 * 730 / 24)})


def test_only_hours_are_those_of_a_day():
    assert calls("embodied carbon of an H100 over 4 years, per day")[0][1] == {"device": "nvidia-h100-sxm", "count": 1, "used_hours": 24, "lifetime_years": 4}
    assert understand([("user", "an H100 30 hours a day")]).reason == "impossible_time"


@pytest.mark.parametrize("question", ["Sweden vs Germany for 1000 GPU hours on A100", "1000 A100 GPU hours in Germany instead of Sweden"])
def test_hours_of_a_device_hold_for_each_place(question):
    ((tool, arguments),) = calls(question)
    assert (tool, arguments["energy"]) == ("choose_place_and_time", "estimate_fleet?count=1&device=nvidia-a100-sxm-80gb&hours=1000#energy")
    assert set(arguments["regions"]) == {"SWE", "DEU"}


@pytest.mark.parametrize(
    "question",
    [
        "one image every 5 minutes for a month",
        "alle 5 Minuten ein Bild, einen Monat lang",
        "une image toutes les 5 minutes pendant un mois",
        "una imagen cada 5 minutos durante un mes",
        "每5分钟生成一张图，一个月",
        "每5分鐘生成一張圖，一個月",
        "5分ごとに画像を1枚生成、1か月",
    ],
)
def test_what_comes_again_after_a_time_is_counted(question):
    assert calls(question)[0] == ("estimate_task", {"task": "image-generation", "count": pytest.approx(730 * 12)})


@pytest.mark.parametrize(
    ("question", "requests"),
    [
        ("2 prompts twice an hour, all day", 96),
        ("ChatGPT zweimal am Tag, ein Jahr lang", 730),
        ("ChatGPT deux fois par jour pendant un an", 730),
        ("ChatGPT dos veces al día durante un año", 730),
        ("每小时两次问ChatGPT，一年", 17_520),
        ("team of 40, each 25 prompts a working day, a year", 40 * 25 * 365 * 5 / 7),
        ("40 people, 100 prompts each per week, for a year", 40 * 100 * 365 / 7),
        ("a Gemini prompt every 30 seconds for a day", 2880),
    ],
)
def test_how_often_is_counted(question, requests):
    ((tool, told), *_) = calls(question)
    assert tool == "estimate_service"
    assert told.get("requests_per_day", told.get("users", 0) * told.get("requests_per_user_per_day", 0)) * told["days"] == pytest.approx(requests)


@pytest.mark.parametrize("question", ["an H100 24/7 for a quarter", "eine H100 ein Quartal lang", "un H100 pendant un trimestre", "un H100 durante un trimestre", "一块H100跑一个季度", "H100を四半期"])
def test_a_quarter_is_three_months(question):
    assert calls(question)[0][1]["hours"] == 8760 / 4


@pytest.mark.parametrize(
    "question",
    [
        "13B parameters, 1.4 trillion tokens, H100, 40% MFU: energy?",
        "13B Parameter, 1,4 Billionen Token, H100, 40 % Auslastung: Energie?",
        "130億パラメータ、1.4兆トークン、H100、MFU 40%：電力量は？",
    ],
)
def test_more_tokens_than_parameters_are_those_of_a_training_run(question):
    told = {"accelerator": "nvidia-h100-sxm", "parameters_b": pytest.approx(13), "tokens_b": pytest.approx(1400), "utilisation": 0.4}
    assert calls(question)[0] == ("estimate_training", told)


def test_tokens_of_a_period_are_served():
    assert calls("Llama 3 8B, 20 billion tokens a day")[0][0] == "estimate_llm"


@pytest.mark.parametrize(
    "question",
    [
        "grow 12% a year from 415 TWh, what in 2030?",
        "wächst 415 TWh um 12 % im Jahr, wie viel 2030?",
        "415 TWh croissent de 12 % par an, combien en 2030 ?",
        "si 415 TWh crecen un 12 % al año, ¿cuánto en 2030?",
        "415 TWh 每年增长12%，2030年是多少？",
        "415 TWh 每年增長12%，2030年是多少？",
        "415 TWhが年12%で増加すると2030年は？",
    ],
)
def test_what_grows_starts_in_the_year_of_the_published_total(question):
    assert calls(question) == [("project_growth", {"start": "fact:world-data-centres-electricity-2024-iea", "annual_growth": 0.12, "years": 6})]


@pytest.mark.parametrize(
    "question",
    [
        "if data centre use doubles every 4 years, what in 2033?",
        "Rechenzentren verdoppeln sich alle 4 Jahre, wie viel 2033?",
        "si les centres de données doublent tous les 4 ans, combien en 2033 ?",
        "si los centros de datos se duplican cada 4 años, ¿cuánto en 2033?",
        "数据中心用电每4年翻倍，2033年多少？",
        "數據中心用電每4年翻倍，2033年多少？",
        "データセンターの電力が4年ごとに倍増すると2033年は？",
    ],
)
def test_doubling_in_a_time_is_a_rate(question):
    ((tool, told),) = calls(question)
    assert (tool, told["annual_growth"], told["years"]) == ("project_growth", pytest.approx(2**0.25 - 1), 8)


@pytest.mark.parametrize(
    "question",
    [
        "at 30 % a year how long until it is ten times",
        "bei 30 % im Jahr, wie lange bis zum Zehnfachen?",
        "à 30 % par an, combien de temps pour être multiplié par dix ?",
        "al 30 % anual, ¿cuánto tiempo hasta que sea diez veces más?",
        "每年增长30%，多久变成十倍？",
        "每年增長30%，多久變成十倍？",
        "年30%の成長で10倍になるまで何年？",
    ],
)
def test_how_long_a_growth_takes(question):
    assert ask(question).results[0].value == pytest.approx(math.log(10) / math.log(1.3))


@pytest.mark.parametrize(
    ("question", "outcome"),
    [
        ("500 TWh growing 12 % a year, in 2030", "needs_input"),
        ("how long until 415 TWh becomes 30,000 TWh at 0 % a year", "declined"),
        ("50 kWh a day grows 10 % a year for 3 years", "answered"),
        ("how long until it doubles at 2 % a month", "answered"),
        ("400 TWh falling 5 % a year for 10 years", "answered"),
    ],
)
def test_growth_is_told_or_asked_about(question, outcome):
    assert ask(question).outcome == outcome


@pytest.mark.parametrize(
    ("question", "task", "count", "words"),
    [
        ("how much energy does a Sora video take?", "video-generation", 1, "Nobody has published what Sora takes"),
        ("100 Midjourney images", "image-generation", 100, "Nobody has published what Midjourney takes"),
        ("energy of a DALL-E 3 image", "image-generation", 1, "Nobody has published what DALL-E takes"),
        ("Claude making a video: energy?", "video-generation", 1, "Nobody has published what Claude takes"),
        ("Wie viel Strom braucht ein Bild von Midjourney?", "image-generation", 1, "Midjourney dafür braucht"),
        ("Combien d'énergie pour une vidéo Sora ?", "video-generation", 1, "ce que Sora consomme"),
        ("¿cuánta energía usa una imagen de DALL-E 3?", "image-generation", 1, "lo que DALL-E consume"),
        ("Midjourney画一张图耗多少电", "image-generation", 1, "没有人公布过 Midjourney"),
        ("Midjourney畫一張圖耗多少電", "image-generation", 1, "沒有人公布過 Midjourney"),
        ("Soraの動画1本の電力は？", "video-generation", 1, "Sora がこの作業に使う量"),
    ],
)
def test_a_service_without_a_figure_has_that_of_what_it_does(question, task, count, words):
    assert calls(question) == [("estimate_task", {"task": task, "count": count})]
    assert words in ask(question).text


@pytest.mark.parametrize("service", ["Suno", "ElevenLabs", "Grok"])
def test_a_service_that_does_no_known_task_is_told_as_unpublished(service):
    reply = ask(f"How much energy does {service} use?")
    assert (reply.outcome, reply.results) == ("declined", [])
    assert f"Nobody has published what a request to {service} takes" in reply.text


def test_a_service_beside_a_task_keeps_its_own_figure():
    assert [tool for tool, _ in calls("20 ChatGPT prompts and 3 images a day")] == ["estimate_service", "estimate_task"]
    assert sides("compare a Sora video with a ChatGPT prompt") == {"estimate_task?task=video-generation&count=1", "estimate_service?service=chatgpt&requests_per_day=1"}


@pytest.mark.parametrize(
    ("question", "unit"),
    [
        ("energy of 1000 images in BTU", "BTU"),
        ("energy of 1000 images in calories", "kcal"),
        ("Energie von 1000 Bildern in Kilokalorien", "kcal"),
        ("énergie de 1000 images en mégajoules", "MJ"),
        ("energía de 1000 imágenes en megajulios", "MJ"),
        ("1000张图用多少大卡", "kcal"),
        ("1000張圖用多少大卡", "kcal"),
        ("画像1000枚のエネルギーは何メガジュール？", "MJ"),
        ("CO2 of 1000 images in pounds", "lb CO2e"),
        ("CO2 von 1000 Bildern in Pfund", "lb CO2e"),
        ("CO2 de 1000 images en livres", "lb CO2e"),
        ("CO2 de 1000 imágenes en libras", "lb CO2e"),
        ("1000张图的碳排放是多少磅", "lb CO2e"),
        ("1000張圖的碳排放是多少磅", "lb CO2e"),
        ("画像1000枚の排出量をポンドで", "lb CO2e"),
        ("water of training GPT-3 in gallons", "gallon"),
        ("Wasser für 1000 Bilder in Gallonen", "gallon"),
        ("eau de 1000 images en gallons", "gallon"),
        ("agua de 1000 imágenes en galones", "gallon"),
        ("1000张图的用水是多少加仑", "gallon"),
        ("画像1000枚の水をガロンで", "gallon"),
        ("Wasser für 1000 Bilder in Liter", "L"),
        ("eau de 1000 images en litres", "L"),
        ("1000张图片用水多少升", "L"),
    ],
)
def test_an_answer_is_in_the_unit_asked(question, unit):
    reply = ask(question)
    assert (reply.outcome, reply.results[0].unit) == ("answered", unit)


def test_calories_of_food_are_another_subject():
    assert ask("how many calories in 1000 images of popcorn").outcome == "declined"


@pytest.mark.parametrize(
    ("question", "fuel"),
    [
        ("training GPT-3 in litres of petrol", "gasoline-litre"),
        ("training GPT-3 in gallons of gasoline", "gasoline-gallon"),
        ("Training GPT-3 in Litern Benzin", "gasoline-litre"),
        ("entraîner GPT-3 en litres d'essence", "gasoline-litre"),
        ("entrenar GPT-3 en litros de gasolina", "gasoline-litre"),
        ("训练GPT-3相当于多少升汽油", "gasoline-litre"),
        ("訓練GPT-3相當於多少公升汽油", "gasoline-litre"),
        ("GPT-3の学習はガソリン何リットル分？", "gasoline-litre"),
    ],
)
def test_litres_of_petrol_are_no_water(question, fuel):
    assert calls(question)[-1][1]["equivalents"] == [fuel]


@pytest.mark.parametrize(
    "question",
    [
        "3 TWh in nuclear reactors",
        "how many nuclear reactors is 3 TWh",
        "training GPT-3 in blue whales",
        "3 TWh en réacteurs nucléaires",
        "combien de réacteurs nucléaires pour 3 TWh ?",
        "3 TWh en reactores nucleares",
        "wie viele Kernkraftwerke sind 3 TWh?",
        "3 TWh相当于多少座核反应堆",
        "3 TWh相當於多少座核反應爐",
        "3 TWhは原子炉何基分？",
    ],
)
def test_everyday_things_that_are_not_known_are_named(question):
    plan = understand([("user", question)])
    assert (plan.outcome, plan.reason) == ("declined", "not_known")
    assert plan.slots["thing"] in question


@pytest.mark.parametrize("question", ["0 images", "energy of 0 prompts", "0 Bilder", "0 H100 for a day", "8 H100 for 0 hours", "0张图"])
def test_none_of_a_thing_takes_nothing(question):
    reply = ask(question)
    assert (reply.outcome, reply.results[0].value) == ("answered", 0)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("zero divided by zero", "nothing can be divided by zero"),
        ("10 kWh / 0", "nothing can be divided by zero"),
        ("500 kWh geteilt durch null", "durch null lässt sich nicht teilen"),
        ("zéro divisé par zéro", "on ne peut pas diviser par zéro"),
        ("cero dividido por cero", "no se puede dividir por cero"),
        ("零除以零", "不能除以零"),
        ("ゼロ割るゼロは？", "ゼロで割ることはできません"),
    ],
)
def test_nothing_is_divided_by_zero(question, words):
    reply = ask(question)
    assert (reply.outcome, reply.results) == ("declined", [])
    assert words in reply.text


@pytest.mark.parametrize("question", ["500 kWh divided by 20", "500 kWh geteilt durch 20", "500 kWh divisé par 20", "500 kWh dividido entre 20", "500 kWh除以20", "500 kWhを20で割ると"])
def test_an_amount_is_divided(question):
    assert ask(question).results[0].value == 25


@pytest.mark.parametrize(
    "question",
    [
        "captioning a photo vs classifying it",
        "is it worse to classify or caption a photo",
        "captioning an image vs classifying it",
        "Ein Foto beschriften oder klassifizieren, was braucht mehr?",
        "légender une photo ou la classer : lequel consomme plus ?",
        "describir una foto o clasificarla, ¿qué consume más?",
        "给照片写说明和分类，哪个更耗电",
        "給照片寫說明和分類，哪個更耗電",
    ],
)
def test_classifying_is_set_against_another_task(question):
    assert {side.partition("#")[0] for side in sides(question)} == {"estimate_task?task=image-captioning&count=1", "estimate_task?task=image-classification&count=1"}


@pytest.mark.parametrize(
    "question",
    [
        "data centres vs France's electricity",
        "Rechenzentren im Vergleich zu Frankreich: Strom",
        "les centres de données contre l'électricité de la France",
        "centros de datos frente a la electricidad de Francia",
        "数据中心和法国的用电相比",
        "資料中心和法國的用電相比",
        "データセンターとフランスの電力を比較",
    ],
)
def test_a_sector_is_set_against_a_country(question):
    assert sides(question) == {"fact:world-data-centres-electricity-2025-iea", "fact:fra-electricity-year"}


def test_a_sector_in_two_countries_is_not_that_of_the_world():
    assert all(tool != "compare" for tool, _ in calls("data centres in France vs Germany"))


@pytest.mark.parametrize(
    ("question", "count", "hours"),
    [
        ("two 4090s every night 4 hours, for a year", 2, 4 * 365),
        ("I run a 4090 8 hours a day for a month", 1, 8 * 730 / 24),
        ("my 5090 at 575 W, 3 hours every weekday, per year", 1, 3 * 365 * 5 / 7),
    ],
)
def test_a_card_runs_some_hours_of_some_days(question, count, hours):
    ((tool, arguments), *_) = calls(question)
    assert (tool, arguments["count"], arguments["hours"]) == ("estimate_fleet", count, pytest.approx(hours))


@pytest.mark.parametrize(
    "question",
    [
        "every weekday 30 prompts to ChatGPT, a year",
        "jeden Werktag 30 Fragen an ChatGPT, ein Jahr",
        "chaque jour ouvré 30 questions à ChatGPT, un an",
        "cada día laborable 30 preguntas a ChatGPT, un año",
        "每个工作日问ChatGPT 30次，一年",
        "每個工作日問ChatGPT 30次，一年",
        "毎営業日ChatGPTに30回質問、1年間",
    ],
)
def test_every_working_day_is_five_of_seven(question):
    told = calls(question)[0][1]
    assert told["requests_per_day"] * told["days"] == pytest.approx(30 * 365 * 5 / 7)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("from 415 TWh in 2024 to 945 TWh in 2030, growth per year?", {"start": "415.0 TWh", "end": "945.0 TWh", "years": 6}),
        ("945 TWh in 2030, growing 8% a year, what in 2035", {"start": "945.0 TWh", "annual_growth": 0.08, "years": 5}),
        ("how many years until data centres reach 1000 TWh at 12 % a year", {"start": "fact:world-data-centres-electricity-2025-iea", "end": "1000.0 TWh", "annual_growth": 0.12}),
        ("from 100 TWh to 1000 TWh at 20 % a year, how long?", {"start": "100.0 TWh", "end": "1000.0 TWh", "annual_growth": 0.2}),
    ],
)
def test_a_figure_that_names_a_forecast_may_grow(question, told):
    assert calls(question) == [("project_growth", told)]


def test_a_forecast_is_still_named_by_its_figure():
    assert calls("945 TWh by 2030") == [("project_growth", {"forecast": "iea-2025-data-centres-2030"})]


@pytest.mark.parametrize(
    ("question", "earlier", "value"),
    [
        ("1,000 gemini prompts = how many phone charges? use 19 Wh per charge", (), 0.24 / 0.019),
        ("put that in EV km, 0.18 kWh per km", ("energy for 200k chatgpt queries",), 60 / 0.18),
        ("5000 images, in EV kilometres at 0.2 kWh/km", (), 14.535 / 0.2),
    ],
)
def test_what_is_told_for_one_of_an_everyday_thing_is_taken(question, earlier, value):
    turns = [turn for text in earlier for turn in ({"role": "user", "content": text}, {"role": "assistant", "content": "…"})]
    assert ask([*turns, {"role": "user", "content": question}]).results[0].value == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("Geminiを1日40回、30日間使ったら消費電力量は何Wh？", {"requests_per_day": 40, "days": 30}),
        ("一天用ChatGPT問50次，一年碳排多少公斤", {"requests_per_day": 50, "days": 365}),
    ],
)
def test_a_day_before_a_number_is_its_rate(question, told):
    first, *_ = calls(question)
    assert {name: first[1][name] for name in told} == told


def test_tokens_that_enter_and_leave_are_those_of_a_request():
    first, *_ = calls("Llama 3.1 8B 每次 1k 進、1k 出,跑 4 萬次要幾度電?")
    assert first == ("estimate_llm", {"model": "Llama-3.1-8B", "requests": 40000, "input_tokens": 1000, "output_tokens": 1000})


def test_an_amount_that_is_a_thing_s_own_is_converted():
    assert ask("训练Llama 3.1 405B的8930吨二氧化碳，相当于多少辆美国轿车开一年？").results[0].value == pytest.approx(8930 / 4.29, rel=1e-3)


def test_no_country_s_electricity_stands_for_that_of_its_data_centres():
    reply = ask("How much electricity do data centres in Japan use?")
    assert reply.outcome == "declined"
    assert "1,014" not in reply.text


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Does a Le Chat prompt use more water than 40 Gemini prompts?", "#water"),
        ("Emittiert das Training von GPT-3 mehr CO2 als das von BLOOM?", "#emissions"),
    ],
)
def test_a_comparison_is_in_the_quantity_that_it_tells(question, wanted):
    assert all(side.endswith(wanted) for side in sides(question))
