using System.Collections.Frozen;

namespace Runbooks.Integrations.Azure.Prompts;

/// <summary>What innocent people write. A signature that occurs in it would lock them out.</summary>
internal static class OrdinaryText
{
    /// <summary>
    /// No list has every ordinary word of every language, but the more words have to follow one another, the fewer other people
    /// write the same. A single word, the name of an API's field or a short phrase is never enough.
    /// </summary>
    private const int FewestRareWords = 5;

    /// <summary>Longer ones are not words, but encoded images, hashes or addresses.</summary>
    private const int LongestWord = 20;

    private const int MostSamples = SampleFileAttribute.MaxLines;

    // Frequent words of questions to an assistant, in the languages used most.
    private static readonly FrozenSet<string> s_common = (
        "about after again all also always and any are ask assistant because been before being best better but can change chat "
        + "check code content could create data day describe did does done each email english even every example explain few "
        + "file find first follow for from function get give good great had has have hello help her here him his how ignore "
        + "instructions into its just keep know language last let letter like line list long look made make many message "
        + "messages mode model more most much name need never new next not now off old one only order other our out over part "
        + "people please point previous problem program prompt put question read really right role rules safe same say see send "
        + "sentence short should show some story stop summarize system tell temperature text than thank thanks that the their "
        + "them then there these they thing things think this those time today too translate true try two under use user using "
        + "very want was way week well were what when where which while who why will with word words work world would write year "
        + "yes yet you your aber alle als auch auf aus bei bin bis bist bitte danke das dass dein dem den der des die diese "
        + "diesen dir doch durch ein eine einem einen einer erkläre etwas gib haben hallo hat hilf ich ihr ist kann kannst kein "
        + "mein meine mich mir mit nach nicht noch nur oder schreib schreibe sein sich sie sind text und uns von vor warum was "
        + "wenn wer wie wir wird zum zur zusammen como con cual cuando dame del desde donde ella ellos entre escribe esta este "
        + "esto favor gracias hace hola las los mas mejor mucho muy nos para pero por porque puede puedes que quien quiero ser "
        + "sin sobre son texto tiene todo traduce una uno avec aux bonjour ces cette comme comment dans des donne elle est être "
        + "explique faire ils les leur mais merci mes moi mon nous par pas peux plus pour pouvez pourquoi quel quelle qui sans "
        + "ses sont sur toi ton tout une veux vous votre ajuda anche che chi ciao come cosa dal della delle dove grazie gli hai "
        + "isto isso mais mas mia mio muito não non obrigado onde perche qual quando quanto quero questo scrivi sono tradurre "
        + "tudo uma voce aan alsjeblieft dat deze dit een geen heeft het hoe ik kan maar met mij mijn naar niet ook tekst uit "
        + "van vertaal voor waar waarom wat zijn будет был была были быть вам вас все для его если еще есть здравствуйте как "
        + "какой когда который меня мне может можно мой напиши нужно объясни ответ очень перевод переведи пожалуйста помоги "
        + "почему привет расскажи сделай спасибо текст только чтобы это этот будь будь-ласка дякую допоможи мені напиши "
        + "переклади привіт цей чому щоб який ale bardzo być czy czym dla dlaczego dziękuję dzień dobry jak jaki jest jestem mam "
        + "mnie mogę może napisz nie pomóż proszę przetłumacz się tego tekst tylko wyjaśnij ama ben bir bu bunu çok daha değil "
        + "evet gibi için kadar lütfen merhaba metin mısın nasıl neden olarak teşekkürler var yardım yaz bạn cảm ơn các cho của "
        + "được giúp hãy không làm một như này những tôi viết với và xin chào αυτό για γεια είναι ευχαριστώ και κείμενο μου "
        + "παρακαλώ πώς την της του τι των איך אני את בבקשה זה לי לכתוב מה עם של שלום תודה إلى أن أنا اكتب السلام النص الى ترجم "
        + "شكرا على عليكم عن في كيف لماذا ما مرحبا من مع من فضلك هذا هذه هل आप एक और का की के को क्या क्यों कृपया धन्यवाद नमस्ते "
        + "मुझे में मैं यह लिए से है हैं 감사합니다 그리고 나는 내가 도와주세요 무엇 번역해 부탁해 설명해 안녕하세요 어떻게 왜 이것 작성해 저는 제가 주세요 해줘 adalah akan anda "
        + "apa bagaimana dan dari dengan ini itu kepada mengapa pada saya terima kasih tidak tolong untuk yang")
        .Split(' ', StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    // Frequent characters of Chinese and Japanese. Hiragana is left out as a whole: it is grammar.
    private static readonly FrozenSet<Rune> s_commonLetters =
        ("我你您他她它们們的是了在有和不这這那个個一二三请請帮幫给給写寫说說什么甚麼怎样樣为為吗嗎呢吧把被让讓到从從对對好要想能会"
        + "會可以及与與或也都就还還很多少大小中上下来來去出里裡时時天年月日人文章字句话話问問题題回答用做作使翻译譯解释釋总總结結段"
        + "篇本电電邮郵件谢謝私何方教書下見言語本分文今明日時間思行入出生学校").EnumerateRunes().ToFrozenSet();

    private static readonly string[] s_sentences =
    [
        """{"model":"gpt-4o","temperature":0.2,"top_p":1,"frequency_penalty":0,"presence_penalty":0,"max_tokens":800,"stream":"""
            + """true,"stop":null,"response_format":{"type":"json_object"},"messages":"""
            + """[{"role":"system","content":"you are a helpful assistant."},{"role":"user","content":[{"type":"text","text":"hello,"""
            + """ how are you today?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,"""
            + """ivborw0kggo="}}]}],"tools":[{"type":"function","function":{"name":"get_weather","description":"","parameters":"""
            + """{"type":"object","properties":{},"required":[]}}}],"tool_choice":"auto"}""",
        """{"model":"claude-sonnet","max_tokens":1024,"system":"you answer briefly.","messages":[{"role":"user","content":"""
            + """[{"type":"text","text":"hi"}]}]}""",
        "please summarize this text for me in three short sentences.",
        "can you help me write an email to my team about the meeting on monday?",
        "what is the difference between a list and an array in python?",
        "translate the following paragraph into german and keep the formatting.",
        "i would like to know how to change my password and how long that takes.",
        "explain to me like i am five years old why the sky is blue.",
        "write a short story about a dragon who is afraid of fire.",
        "here is my code, it does not work, please find the mistake and explain it.",
        "give me a recipe for dinner with chicken, rice and what is in season.",
        "please ignore my previous message, i had a typing mistake in it.",
        "what are the rules of chess, and which opening should a beginner learn first?",
        "make a table of the largest cities in europe with their population.",
        "thank you very much, that was exactly what i needed!",
        "bitte fasse diesen text in drei kurzen stichpunkten zusammen.",
        "kannst du mir eine bewerbung als krankenpfleger in einer klinik schreiben?",
        "dame una receta de pollo con arroz blanco y verduras para la cena.",
        "escribe un correo formal para pedir vacaciones a mi jefe.",
        "peux-tu corriger les fautes dans ma lettre de motivation ?",
        "scrivi una mail al professore per chiedere un appuntamento domani mattina.",
        "escreva um resumo curto deste artigo sobre mudanças climáticas.",
        "schrijf een korte brief aan de gemeente over het afval in onze straat.",
        "пожалуйста, переведи этот текст на английский язык и сохрани форматирование.",
        "напиши короткое письмо коллегам о переносе встречи на понедельник.",
        "напиши рецепт борща со свёклой, капустой и сметаной на четыре порции.",
        "przetłumacz proszę ten list na język niemiecki i popraw błędy ortograficzne.",
        "bana pazartesi toplantısı hakkında kısa ve resmi bir e-posta yazar mısın?",
        "viết giúp tôi một bức thư xin nghỉ phép gửi trưởng phòng.",
        "γράψε μου μια σύντομη περίληψη αυτού του άρθρου για το κλίμα.",
        "اكتب رسالة قصيرة إلى مديري أطلب فيها إجازة يوم الخميس القادم.",
        "कृपया इस लेख का सारांश तीन छोटे वाक्यों में हिंदी में लिखिए।",
        "다음 주 월요일 회의 일정 변경을 동료들에게 알리는 짧은 이메일을 작성해 주세요.",
        "请帮我把下面这段文字翻译成英文，并保留原来的格式。",
        "请写一封正式的邮件，向经理申请下周三的年假。",
        "用三句话总结这篇关于气候变化的文章。",
        "来週の会議の日程変更を同僚に伝える短いメールを書いてください。",
        "この文章を英語に翻訳して、書式はそのままにしてください。",
        "ช่วยเขียนอีเมลสั้นๆ ถึงหัวหน้าเพื่อขอลาพักร้อนสัปดาห์หน้า",
    ];

    public static string? WhyRefused(IReadOnlyList<string> words, string pattern, IReadOnlyList<string> samples)
    {
        var rare = RareWords(words);
        if (rare < FewestRareWords)
        {
            return $"The signature would hit what other people write: it has {rare} different words that are not everyday ones, "
                + $"and needs {FewestRareWords}. Names of an API's fields, numbers and encoded data do not count.";
        }

        if (Blocked(pattern, s_sentences) > 0)
        {
            return "The signature is found in an ordinary sentence.";
        }

        return Blocked(pattern, samples) is > 0 and var hit
            ? $"The signature is found in {hit} of the {samples.Count} ordinary requests that the runbook keeps ('ordinary')."
            : null;
    }

    public static int Blocked(string pattern, IReadOnlyList<string> requests)
    {
        var expression = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        return requests.Count(request => expression.IsMatch(Readable(request)));
    }

    public static IReadOnlyList<string> Samples(string? ordinary) =>
        [.. (ordinary ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(MostSamples)];

    // JSON may write letters of other scripts as \uXXXX.
    private static string Readable(string request) =>
        ComposedText.Of(s_escaped.Replace(request, Unescaped)).ToLowerInvariant();

    private static string Unescaped(Match escape) =>
        ((char)ushort.Parse(escape.ValueSpan[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString();

    private static readonly Regex s_escaped = new(
        @"\\u[0-9a-f]{4}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    /// <summary>
    /// Counts different words that are not everyday ones. Where a script has no blanks between words, two different Chinese
    /// characters, or five different letters of another script, count as one word.
    /// </summary>
    private static int RareWords(IReadOnlyList<string> words)
    {
        var unspaced = words
            .SelectMany(word => word.EnumerateRunes())
            .Where(rune => IsUnspaced(rune) && !s_commonLetters.Contains(rune)).ToHashSet();
        var chinese = unspaced.Count(IsHan);
        var spaced = words
            .Select(word => word.Trim('.', ',', '!', '?', ':', ';', '"', '\'', '(', ')', '[', ']', '«', '»', '„', '“', '”', '¿', '¡', '؟', '،', '।'))
            .Where(IsRare)
            .Distinct(StringComparer.Ordinal)
            .Count();
        return spaced + (chinese / 2) + ((unspaced.Count - chinese) / 5);
    }

    private static bool IsRare(string word) =>
        word.Length <= LongestWord
        && word.Length > (word.Any(IsHangul) ? 1 : 2)
        && word.All(IsPartOfAWord)
        && !word.EnumerateRunes().Any(IsUnspaced)
        && !word.Any(IsHiragana)
        && !s_common.Contains(word);

    private static bool IsPartOfAWord(char character) =>
        char.IsLetter(character)
        || CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
        || character is '\'' or '-';

    private static bool IsHiragana(char character) => character is >= '\u3041' and <= '\u309F';

    private static bool IsHangul(char character) => character is >= '\uAC00' and <= '\uD7A3';

    private static bool IsHan(Rune rune) =>
        rune.Value is (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);

    // Han, katakana, Thai, Lao, Myanmar, Khmer.
    private static bool IsUnspaced(Rune rune) => IsHan(rune)
        || (Rune.IsLetter(rune)
            && rune.Value is (>= 0x30A1 and <= 0x30FA) or (>= 0x0E01 and <= 0x0EDF) or (>= 0x1000 and <= 0x109F) or (>= 0x1780 and <= 0x17D3));
}
