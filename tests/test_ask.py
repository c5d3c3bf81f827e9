"""Questions in plain words: what they are understood as, and what the answers hold."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilowhat.plugin import ask
from kilowhat.plugin.understanding import compile as lexicon
from kilowhat.plugin.understanding.understand import understand
from kilowhat.tools import call
from kilowhat.tools.core.estimate import as_quantity


def calls(question, *earlier):
    turns = [turn for text in earlier for turn in (("user", text), ("assistant", "…"))]
    return [(call.tool, call.arguments) for call in understand([*turns, ("user", question)]).calls]


IMAGES = {"task": "image-generation"}


@pytest.mark.parametrize(
    ("question", "tool", "arguments"),
    [
        ("how much energy does 1000 image generations use?", "estimate_task", {**IMAGES, "count": 1000}),
        ("electricity of 1,500 AI pictures", "estimate_task", {**IMAGES, "count": 1500}),
        ("5k images please", "estimate_task", {**IMAGES, "count": 5000}),
        ("1.5 million images in France", "estimate_task", {**IMAGES, "count": 1.5e6, "region": "FRA"}),
        ("a dozen summaries", "estimate_task", {"task": "summarization", "count": 12}),
        ("two hundred and fifty thousand texts", "estimate_task", {"task": "text-generation", "count": 250000}),
        ("1e6 text classifications on us-west-2", "estimate_task", {"task": "text-classification", "count": 1e6, "region": "us-west-2"}),
        ("１０００ 枚の画像生成", "estimate_task", {**IMAGES, "count": 1000}),
        ("生成一千张图要几度电?", "estimate_task", {**IMAGES, "count": 1000}),
        ("圖像生成兩千五百次用多少電", "estimate_task", {**IMAGES, "count": 2500}),
        ("2億次圖像生成", "estimate_task", {**IMAGES, "count": 2e8}),
        ("在挪威生成３万张图片的碳排放", "estimate_task", {**IMAGES, "count": 30000, "region": "NOR"}),
        ("ChatGPT每天2亿次请求要多少度电?", "estimate_service", {"service": "chatgpt", "requests_per_day": 2e8}),
        ("carbon of 100,000 Gemini prompts", "estimate_service", {"service": "gemini", "requests_per_day": 100000}),
        ("200 million requests a day at 2.5 Wh each", "estimate_service", {"energy_wh_per_request": 2.5, "requests_per_day": 2e8}),
        ("training GPT-3", "estimate_training", {"model": "gpt-3"}),
        ("訓練 BLOOM 排多少碳", "estimate_training", {"model": "bloom-176b"}),
        ("fine-tuning on 8 A100 for 36 hours at PUE 1.1", "estimate_training", {"accelerator": "nvidia-a100-sxm-80gb", "accelerator_count": 8, "hours": 36, "pue": 1.1}),
        ("512,821 servers at 6.5 kW for a day", "estimate_fleet", {"count": 512821, "power_w": 6500, "hours": 24}),
        ("8 H100 for a week in Germany", "estimate_fleet", {"count": 8, "device": "nvidia-h100-sxm", "hours": 168, "region": "DEU"}),
        ("1000 requests to Llama 3.1 70B of 300 output tokens each", "estimate_llm", {"model": "Llama-3.1-70B", "requests": 1000, "output_tokens": 300}),
        ("50 images with FLUX.1 dev", "estimate_media", {"kind": "image", "model": "flux-1-dev", "count": 50}),
        ("spread 164 kg of CO2 over five years of a GPU, how many grams per hour?", "estimate_embodied", {"embodied_kg_co2e": 164, "lifetime_years": 5, "used_hours": 1}),
        ("marginal emissions of 100 kWh in Germany", "convert_energy_to_emissions", {"energy": "100.0 kWh", "region": "DEU", "factor": "marginal"}),
        ("1000 kWh in Norway, Germany and Poland: where is it cleanest?", "choose_place_and_time", {"energy": "1000.0 kWh", "regions": ["NOR", "DEU", "POL"]}),
        ("growth rate from 415 TWh in 2024 to 945 in 2030", "project_growth", {"start": "415.0 TWh", "end": "945.0 TWh", "years": 6}),
        ("how much electricity will data centres use in 2030?", "project_growth", {"forecast": "iea-2026-data-centres-2030"}),
        ("2030年数据中心会用多少电?", "project_growth", {"forecast": "iea-2026-data-centres-2030"}),
        ("用 Llama 3.1 70B 回答 1000 次,每次 500 个 token", "estimate_llm", {"model": "Llama-3.1-70B", "requests": 1000, "output_tokens": 500}),
        ("1000 GPT-4o requests of 400 tokens in France", "estimate_llm", {"model": "gpt-4o", "requests": 1000, "output_tokens": 400, "region": "FRA"}),
        ("20 requests to Llama 3.1 70B with 200 tokens and 4000 reasoning tokens", "estimate_llm", {"model": "Llama-3.1-70B", "requests": 20, "output_tokens": 200, "reasoning_tokens": 4000}),
        ("2 million GPT-4o requests per day for 30 days with 300 tokens each", "estimate_llm", {"model": "gpt-4o", "requests": 6e7, "output_tokens": 300}),
        ("100 users ask GPT-4o 20 times a day", "estimate_llm", {"model": "gpt-4o", "requests": 2000}),
        ("8张H100跑三天耗电多少?", "estimate_fleet", {"count": 8, "device": "nvidia-h100-sxm", "hours": 72}),
        ("八张 A100 跑一百天", "estimate_fleet", {"count": 8, "device": "nvidia-a100-sxm-80gb", "hours": 2400}),
        ("用8张H100跑十二个小时", "estimate_fleet", {"count": 8, "device": "nvidia-h100-sxm", "hours": 12}),
        ("每天两亿次请求,每次 0.3 瓦时", "estimate_service", {"energy_wh_per_request": 0.3, "requests_per_day": 2e8}),
        ("8 H100 for a week at 50% load", "estimate_fleet", {"count": 8, "device": "nvidia-h100-sxm", "hours": 168, "utilisation": 0.5}),
        ("9 MI300X busy at 60% for two weeks, PUE 1.25", "estimate_fleet", {"count": 9, "device": "amd-mi300x", "hours": 336, "utilisation": 0.6, "pue": 1.25}),
        ("embodied carbon of 100 H100 over 5 years", "estimate_embodied", {"device": "nvidia-h100-sxm", "count": 100, "lifetime_years": 5}),
        ("500 kWh in Norway", "convert_energy_to_emissions", {"energy": "500.0 kWh", "region": "NOR"}),
        ("1287 MWh in Netflix hours", "convert_to_equivalents", {"quantity": "1287.0 MWh", "equivalents": ["streaming-hour"]}),
        ("Where does the GPT-3 training figure come from?", "look_up_references", {"query": "GPT-3 training"}),
    ],
)
def test_a_question_is_understood(question, tool, arguments):
    assert calls(question) == [(tool, arguments)]


def test_compound_questions_become_a_chain():
    assert calls("how many phone charges is 1000 images?") == [
        ("estimate_task", {**IMAGES, "count": 1000}),
        ("convert_to_equivalents", {"quantity": "estimate_task?task=image-generation&count=1000", "equivalents": ["phone-charge"]}),
    ]


def test_things_set_against_each_other_are_compared():
    ((tool, arguments),) = calls("which uses more, 100 images or an hour of Netflix?")
    assert tool == "compare"
    assert arguments["items"] == [
        {"label": "images", "quantity": "estimate_task?task=image-generation&count=100"},
        {"label": "hour of Netflix", "quantity": "convert_to_equivalents?quantity=1.0%20streaming-hour"},
    ]
    assert ask("生成图片比生成文字耗电多多少倍?").results[0].value == pytest.approx(2.907 / 0.047, rel=1e-6)


def test_things_named_together_are_each_answered():
    assert [arguments["count"] for _, arguments in calls("8 H100 and 4 A100 for a week")] == [8, 4]
    reply = ask("8 H100 and 4 A100 for a week")
    assert [result.value for result in reply.results if result.quantity == "energy"] == pytest.approx([940.8, 268.8, 940.8 + 268.8])


def test_a_range_is_answered_at_both_ends():
    assert [arguments["count"] for _, arguments in calls("1000-2000 images")] == [1000, 2000]
    assert [arguments["power_w"] for _, arguments in calls("1.5 million servers at 6.5 to 10.2 kW all year")] == [6500, 10200]


@pytest.mark.parametrize(
    ("claim", "verdict", "value", "unit"),
    [
        ("Is it true that ten days of ChatGPT use 84 TWh?", "false", 2.754, "TWh"),
        ("True or false: 1.5 million servers at 6.5 kW all year use about 85 TWh", "true", 85.41, "TWh"),
        ("Is it true that one hour of Netflix uses 0.8 kWh?", "false", 0.077, "kWh"),
        ("I heard training GPT-3 emitted 552 tonnes of CO2, correct?", "true", 552, "t CO2e"),
    ],
)
def test_a_claim_gets_a_verdict_and_the_right_figure(claim, verdict, value, unit):
    reply = ask(claim)
    holds = {"true": "holds", "mostly true": "holds", "false": "fails", "misleading": "fails", "outdated": "fails"}
    assert holds[reply.verdict] == holds[verdict]
    assert as_quantity(reply.results[0]).to(unit).value == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("1.000.000 images", 1e6),
        ("1,5 million images", 1.5e6),
        ("two and a half million images", 2.5e6),
        ("12 thousand 5 hundred images", 12500),
        ("½ million images", 5e5),
        ("2'000'000 images", 2e6),
        ("1000 1024x1024 images", None),
        ("画1万5千张图", 15000),
        ("1000 images a day for a year", 365000),
        ("100 images a week, how many kWh per year?", 100 * 8760 / 168),
        ("30 images per second, 24/7, kWh per day?", 30 * 86400),
    ],
)
def test_numbers_and_rates_as_people_write_them(question, count):
    ((_, arguments),) = calls(question)
    assert arguments["count"] == pytest.approx(count or 1000)


def test_what_no_argument_takes_is_named():
    assert "Not taken into account: PUE 1.5" in ask("1000 texts with PUE 1.5").text


@pytest.mark.parametrize(
    ("claim", "verdict", "kwh"),
    [
        ("Is it false that GPT-3 training used 1287 MWh?", "false", 1.287e6),
        ("Is it true that GPT-3 training did not use 1287 MWh?", "false", 1.287e6),
        ("ChatGPT doesn't use 3 Wh per query, right?", "true", 0.0003),
        ("Stimmt es, dass ChatGPT keine 3 Wh pro Anfrage verbraucht?", "true", 0.0003),
        ("ChatGPT ne consomme pas 3 Wh par requête, vrai ?", "true", 0.0003),
        ("¿Es verdad que ChatGPT no consume 3 Wh por consulta?", "true", 0.0003),
        ("ChatGPT一次提问并不是3瓦时，对吗？", "true", 0.0003),
        ("ChatGPT一次提問並不是3瓦時，對嗎？", "true", 0.0003),
        ("ChatGPTの質問1回は3 Whではないですよね、本当ですか？", "true", 0.0003),
    ],
)
def test_a_denial_is_judged_as_one_and_gets_the_figure(claim, verdict, kwh):
    reply = ask(claim)
    assert reply.verdict == verdict
    assert as_quantity(reply.results[0]).to("kWh").value == pytest.approx(kwh)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("Is it true that GPT-3 training used more than 100 MWh?", "true"),
        ("Is it true that GPT-3 training used less than 100 MWh?", "false"),
        ("GPT-3 的训练用电不到 100 兆瓦时，对吗？", "false"),
        ("Stimmt es, dass das Training von GPT-3 mehr als 5 GWh gebraucht hat?", "false"),
        ("Is it true that training GPT-3 emitted zero CO2?", "false"),
        ("Is it true that 1000 images take more than 2 kWh?", "mostly true"),
        ("Is it true that 1000 images take less than 2 kWh?", "unsupported"),
    ],
)
def test_a_bound_is_judged_as_a_bound(claim, verdict):
    assert ask(claim).verdict == verdict


def test_a_total_that_is_not_each_times_how_many_is_false():
    reply = ask("A million images emit only 1,170 kg CO2, as each one is 1.17 kg")
    assert reply.verdict == "false"
    assert reply.results[0].value == pytest.approx(1.17e6)


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("How many ChatGPT queries equal one hour of Netflix?", 0.077 / 0.0003),
        ("how many AI images can I make with 1 kWh?", 1 / 0.002907),
        ("一度电能生成多少张AI图片", 1 / 0.002907),
        ("How many queries at 0.3 Wh each equal 3 kWh?", 10_000),
        ("How many prompts to Gemini use as much energy as charging my phone?", 19 / 0.24),
    ],
)
def test_how_many_of_one_make_another(question, number):
    assert ask(question).results[0].value == pytest.approx(number, rel=0.01)


@pytest.mark.parametrize(
    ("question", "hours"),
    [
        ("4 H100 during office hours only for a year", 8760 * 8 / 24 * 5 / 7),
        ("a DGX H100 8 hours a day, 5 days a week, kWh per month?", 730 * 8 / 24 * 5 / 7),
        ("DGX H100 from 9 to 6 Monday to Friday, kWh per week?", 45),
        ("Was kosten 7 L40S über vier Tage in Österreich an CO2?", 96),
        ("8 H100 on weekdays for a year", 8760 * 5 / 7),
        ("两块4090每天开10小时，一个月几度电", 730 * 10 / 24),
    ],
)
def test_a_schedule_is_so_much_of_the_time_asked(question, hours):
    assert calls(question)[0][1]["hours"] == pytest.approx(hours)


def test_several_periods_are_answered_one_by_one():
    assert [arguments["days"] for _, arguments in calls("water use of chatgpt per day and per year")] == [1, 365]


def test_a_stated_figure_is_never_judged_by_the_claim_on_another_thing():
    reply = ask("Is it true that one Gemini prompt uses a bottle of water?")
    assert reply.verdict == "false"
    assert reply.results[0].quantity == "water"


def test_a_follow_up_on_another_model_keeps_requests_and_tokens():
    earlier = ("1000 GPT-4o requests of 400 tokens", "and Llama 3.1 70B?")
    assert calls("and with 800 tokens?", *earlier) == [("estimate_llm", {"model": "Llama-3.1-70B", "requests": 1000, "output_tokens": 800})]
    assert understand([("user", earlier[0]), ("assistant", "…"), ("user", "thanks")]).outcome == "declined"


@pytest.mark.parametrize(
    "claim",
    [
        "Is it true that a ChatGPT query uses 20 times more energy than a Google search?",
        "Does a ChatGPT query use 20x more energy than a Google search?",
        "Stimmt es, dass eine ChatGPT-Anfrage 20-mal so viel Strom verbraucht wie eine Google-Suche?",
        "一次 ChatGPT 查询的耗电是谷歌搜索的20倍,是真的吗?",
    ],
)
def test_a_stated_ratio_is_checked_and_is_no_count(claim):
    reply = ask(claim)
    assert reply.verdict == "false"
    assert [as_quantity(result).to("Wh").value for result in reply.results[:2]] == pytest.approx([0.3, 6.0])


def test_a_place_has_one_water_whatever_the_tool():
    own = call("convert_energy_to_emissions", {"energy": "5 MWh", "region": "Texas"})
    other = call("convert_energy_to_water", {"energy": "5 MWh", "region": "Texas", "wue_l_per_kwh": 0, "pue": 1})
    off_site = next(result for result in own.results if result.quantity == "water")
    assert off_site.value == pytest.approx(other.results[0].value)


def test_a_claim_without_a_verdict_says_so():
    reply = ask("Is it true that saying thank you to ChatGPT costs tens of millions of dollars?")
    assert reply.verdict is None
    assert reply.text.startswith("No verdict")


def test_the_energy_of_an_everyday_thing_is_checked():
    assert ask("Is it true that a Google search uses 0.3 Wh?").verdict == "true"
    assert ask("Is it true that a Google search uses 3 Wh?").verdict == "false"


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        ("Compare GPT-4o with 500 tokens and Llama 3.1 8B with 200 tokens", "estimate_llm?model=gpt-4o&output_tokens=500", "estimate_llm?model=Llama-3.1-8B&output_tokens=200"),
        (
            "Compare Llama 3.1 70B and DeepSeek V3 for 1000 requests of 500 tokens",
            "estimate_llm?model=Llama-3.1-70B&requests=1000&output_tokens=500",
            "estimate_llm?model=DeepSeek-V3&requests=1000&output_tokens=500",
        ),
    ],
)
def test_models_are_compared_on_what_is_told_of_each(question, first, second):
    ((tool, arguments),) = calls(question)
    assert (tool, [item["quantity"] for item in arguments["items"]]) == ("compare", [first, second])


def test_nothing_told_is_dropped_in_silence():
    assert "Claude 3.5 Sonnet" in ask("GPT-4o vs Claude 3.5 Sonnet: which uses more energy?").text
    assert "Not taken into account: 1,000 requests." in ask("Energy of 1,000 images vs 1,000 chats").text
    assert "Not taken into account: 40 %." in ask("1000 images, 40% more than before").text
    assert "Not taken into account: 500." in ask("1000 tokens and 500 tokens with GPT-4o").text


@pytest.mark.parametrize(("told", "hours"), [("half a day", 12), ("an hour and a half", 1.5), ("half an hour", 0.5), ("half a year", 4380)])
def test_halves_of_a_period(told, hours):
    assert calls(f"8 H100 for {told}") == [("estimate_fleet", {"count": 8, "device": "nvidia-h100-sxm", "hours": hours})]


def test_training_is_never_answered_with_a_request():
    assert ask("How much energy to train GPT-5?").outcome == "needs_input"


def test_a_forecast_of_the_world_is_never_given_for_a_place():
    assert not any(tool == "project_growth" for tool, _ in calls("data centres in Ireland 2030"))


def test_a_follow_up_changes_one_slot():
    first = "how much energy does 1000 image generations use?"
    assert calls("and in France?", first) == [("estimate_task", {**IMAGES, "count": 1000, "region": "FRA"})]
    assert calls("and 5000?", first) == [("estimate_task", {**IMAGES, "count": 5000})]
    assert calls("what about text generation instead?", first) == [("estimate_task", {"task": "text-generation", "count": 1000})]
    assert calls("那换成挪威呢?", "生成一千张图要几度电?") == [("estimate_task", {**IMAGES, "count": 1000, "region": "NOR"})]


@pytest.mark.parametrize(
    "question",
    [
        "What's the weather in Oslo tomorrow?",
        "how many calories in 1000 images of popcorn",
        "hello",
        "",
        "?",
        "asdfgh qwerty zxcv",
        "推荐一家拉面店",
        "DROP TABLE images; --",
        "🍜🍜🍜",
        "\u202e\u200b\x00",
    ],
)
def test_other_subjects_are_declined_in_one_sentence(question):
    reply = ask(question)
    assert reply.outcome in ("declined", "needs_input")
    assert reply.results == [] and reply.tool_calls == []
    assert reply.text.strip().count("\n") == 0


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("1000 images in Atlantis", "Atlantis"),
        ("energy of -5 images", "not allowed"),
        ("train Zorblax-9", "Zorblax-9"),
        ("how much energy does Suno use?", "Nobody has published"),
        ("8 H100", "how long"),
    ],
)
def test_what_cannot_be_calculated_gives_no_number(question, words):
    reply = ask(question)
    assert reply.outcome in ("declined", "needs_input")
    assert reply.results == []
    assert words in reply.text


class TestTheMainQuestion:
    reply = ask("how much energy does 1000 image generations use?")

    def test_it_is_answered_with_a_range(self):
        head = self.reply.results[0]
        assert (self.reply.outcome, head.quantity, head.unit) == ("answered", "energy", "kWh")
        assert head.value == 2.907
        assert head.low < 1
        assert head.high > 11

    def test_the_footnotes_lead_to_the_measurement(self):
        first = self.reply.citations[0]
        assert first.source.title.startswith("Power Hungry Processing")
        assert (first.locator, first.printed) == ("Table 2", "2.907 kWh per 1,000 inferences")
        for citation in self.reply.citations[:3]:
            assert f"[{citation.number}]" in self.reply.text

    def test_newer_measurements_stand_beside_it(self):
        assert "190 Wh" in self.reply.text
        assert any(abs(other.value - 0.194) < 1e-9 for other in self.reply.tool_calls[0].estimate.alternatives)

    def test_what_was_assumed_is_said(self):
        assert any("No place" in sentence for sentence in self.reply.assumptions)

    def test_it_is_the_same_as_the_python_call(self):
        from kilowhat.tools import call

        assert self.reply.tool_calls[0].estimate == call("estimate_task", {"task": "image-generation", "count": 1000.0})


@pytest.mark.parametrize(
    ("question", "language", "words"), [("生成一千张图要几度电?", "zh-Hans", "假设"), ("叫 AI 畫一千張圖要幾度電?", "zh-Hant", "生成 1,000 張圖片"), ("1000 images", "en", "Assumed")]
)
def test_the_answer_is_in_the_language_of_the_question(question, language, words):
    reply = ask(question)
    assert reply.language == language
    assert words in reply.text


@pytest.mark.parametrize(
    ("question", "unit", "value"), [("1000 images in Wh", "Wh", 2907), ("1000 images, joules", "J", 2907 * 3600), ("how many kg CO2 for 8 H100 for a week in France", "kg CO2e", 940.8 * 0.04144)]
)
def test_the_answer_is_in_the_unit_asked(question, unit, value):
    head = ask(question).results[0]
    assert head.unit == unit
    assert head.value == pytest.approx(value, rel=1e-9)


def test_a_long_question_is_read_in_time():
    start = time.perf_counter()
    reply = ask("how much energy " * 4000)
    assert time.perf_counter() - start < 2
    assert reply.outcome in ("declined", "needs_input")


questions = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("0123456789 .,-%kKMW图張電度千万億一二个generate images GPT-3 in France for days")), max_size=120)


@settings(max_examples=400)
@given(question=questions)
def test_no_question_is_a_crash_or_an_impossible_number(question):
    reply = ask(question)
    assert reply.text
    for result in reply.results:
        assert result.value >= 0 and result.value < 1e40
        assert (result.low or 0) <= result.value <= (result.high if result.high is not None else result.value)


def test_the_compiled_lexicon_and_phrases_are_current():
    assert lexicon.main(["--check"]) == 0


def test_messages_may_be_turns_with_parts():
    turns = [{"role": "user", "content": "1000 images"}, {"role": "assistant", "content": "2.9 kWh"}, {"role": "user", "content": [{"type": "text", "text": "and in France?"}]}]
    assert ask(turns).tool_calls[0].arguments["region"] == "FRA"
    with pytest.raises(ValueError, match="no question"):
        ask([{"role": "assistant", "content": "2.9 kWh"}])


def test_the_stream_is_the_calls_then_the_text_and_the_reply() -> None:
    from kilowhat.plugin import Reply, stream
    from kilowhat.plugin.reply import ToolCall

    *steps, reply = stream("How much energy do 1000 image generations use?")
    assert isinstance(reply, Reply)
    assert [step for step in steps if isinstance(step, ToolCall)] == reply.tool_calls
    assert "".join(step for step in steps if isinstance(step, str)) == reply.text


async def test_the_async_forms_say_the_same() -> None:
    from kilowhat.plugin import ask_async, stream_async

    question = "How much energy do 1000 image generations use?"
    assert [step async for step in stream_async(question)][-1] == await ask_async(question) == ask(question)


@pytest.mark.parametrize("numerals", ["一" * 400, "一亿一", "二億三"])
def test_chinese_numerals_that_are_no_number_are_no_crash(numerals):
    assert ask(f"{numerals}张图").outcome in ("answered", "needs_input", "declined")
