namespace Runbooks.Model.Text;

/// <summary>
/// No control characters, lone surrogates, direction marks or invisible characters, and a bounded length. Removed characters become U+FFFD.
/// If they vanished, "llm-b-\u00000" would become the name of another pod unnoticed.
/// </summary>
public static class CleanText
{
    public const char Replacement = '\uFFFD';

    /// <summary>On one line, of any length.</summary>
    public static string Line(string text) => Clean(text, int.MaxValue, oneLine: true);

    /// <summary>What a system outside of this program says: without secrets and without what nobody sees, with its line ends.</summary>
    public static string Said(string text, IEnumerable<string>? secrets = null) =>
        Clean(Redactor.Redact(text, secrets), int.MaxValue, oneLine: false);

    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    public static string Clean(string text, int max, bool oneLine)
    {
        var clean = new StringBuilder(Math.Min(text.Length, max));
        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogate(text[at]))
            {
                AppendSurrogate(clean, text, ref at);
            }
            else if (text[at] is '\u200C' or '\u200D' && at > 0 && !char.IsAscii(text[at - 1]))
            {
                // Joins the parts of an emoji, and letters in scripts that need it. After an ASCII letter it only hides something.
                clean.Append(text[at]);
            }
            else if (text[at] is not '\r' || at + 1 == text.Length || text[at + 1] != '\n')
            {
                clean.Append(Clean(text[at], oneLine));
            }

            if (clean.Length > max)
            {
                return Clip.To(clean.ToString(), max);
            }
        }

        return clean.ToString();
    }

    private static void AppendSurrogate(StringBuilder clean, string text, ref int at)
    {
        if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
        {
            clean.Append(Replacement);
            return;
        }

        var letter = char.ConvertToUtf32(text[at], text[++at]);

        // Tags and variation selectors can hide whole sentences.
        if (CharUnicodeInfo.GetUnicodeCategory(letter) is UnicodeCategory.Format || letter is >= 0xE0000 and <= 0xE0FFF)
        {
            clean.Append(Replacement);
        }
        else
        {
            clean.Append(text[at - 1]).Append(text[at]);
        }
    }

    private static char Clean(char c, bool oneLine) => c switch
    {
        '\n' or '\r' or '\u2028' or '\u2029' => oneLine ? ' ' : '\n',
        '\t' => oneLine ? ' ' : '\t',
        '\uFFFE' or '\uFFFF' => Replacement,

        // Blanks that count as letters.
        '\u115F' or '\u1160' or '\u3164' or '\uFFA0' => Replacement,

        // Direction, zero width, soft hyphen, byte order mark.
        _ => char.IsControl(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format ? Replacement : c,
    };
}

/// <summary>
/// Composes letters and accents as Unicode's form C does (UAX 15), for Latin, Greek, Cyrillic, kana and Hangul. With invariant
/// globalization the framework lacks the data for it.
/// </summary>
public static class ComposedText
{
    /// <summary>For each accent the letters that it goes with, each followed by the composed one.</summary>
    private static readonly Dictionary<char, string> s_accents = new()
    {
        ['\u0300'] = 
            "AÀEÈIÌOÒUÙaàeèiìoòuùÜǛüǜNǸnǹЕЀИЍеѐиѝĒḔēḕŌṐōṑWẀwẁÂẦâầĂẰăằÊỀêề"
            + "ÔỒôồƠỜơờƯỪưừYỲyỳἀἂἁἃἈἊἉἋἐἒἑἓἘἚἙἛἠἢἡἣἨἪἩἫἰἲἱἳἸἺἹἻὀὂὁὃὈὊὉὋὐὒὑὓ"
            + "ὙὛὠὢὡὣὨὪὩὫαὰεὲηὴιὶοὸυὺωὼΑᾺΕῈΗῊϊῒΙῚϋῢΥῪΟῸΩῺ",
        ['\u0301'] = 
            "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzźÜǗüǘGǴgǵÅǺåǻ"
            + "ÆǼæǽØǾøǿΑΆΕΈΗΉΙΊΟΌΥΎΩΏϊΐαάεέηήιίϋΰοόυύωώϒϓГЃКЌгѓкќÇḈçḉĒḖēḗÏḮ"
            + "ïḯKḰkḱMḾmḿÕṌõṍŌṒōṓPṔpṕŨṸũṹWẂwẃÂẤâấĂẮăắÊẾêếÔỐôốƠỚơớƯỨưứἀἄἁἅἈἌ"
            + "ἉἍἐἔἑἕἘἜἙἝἠἤἡἥἨἬἩἭἰἴἱἵἸἼἹἽὀὄὁὅὈὌὉὍὐὔὑὕὙὝὠὤὡὥὨὬὩὭ",
        ['\u0302'] = 
            "AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝWŴwŵYŶyŷZẐzẑẠẬạậẸỆẹệ"
            + "ỌỘọộ",
        ['\u0303'] = "AÃNÑOÕaãnñoõIĨiĩUŨuũVṼvṽÂẪâẫĂẴăẵEẼeẽÊỄêễÔỖôỗƠỠơỡƯỮưữYỸyỹ",
        ['\u0304'] = 
            "AĀaāEĒeēIĪiīOŌoōUŪuūÜǕüǖÄǞäǟȦǠȧǡÆǢæǣǪǬǫǭÖȪöȫÕȬõȭȮȰȯȱYȲyȳИӢиӣ"
            + "УӮуӯGḠgḡḶḸḷḹṚṜṛṝαᾱΑᾹιῑΙῙυῡΥῩ",
        ['\u0306'] = 
            "AĂaăEĔeĕGĞgğIĬiĭOŎoŏUŬuŭУЎИЙийуўЖӁжӂАӐаӑЕӖеӗȨḜȩḝẠẶạặαᾰΑᾸιῐΙῘ"
            + "υῠΥῨ",
        ['\u0307'] = 
            "CĊcċEĖeėGĠgġIİZŻzżAȦaȧOȮoȯBḂbḃDḊdḋFḞfḟHḢhḣMṀmṁNṄnṅPṖpṗRṘrṙSṠ"
            + "sṡŚṤśṥŠṦšṧṢṨṣṩTṪtṫWẆwẇXẊxẋYẎyẏſẛ",
        ['\u0308'] = 
            "AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋϒϔЕЁІЇеёіїАӒаӓӘӚәӛЖӜжӝЗӞзӟИӤ"
            + "иӥОӦоӧӨӪөӫЭӬэӭУӰуӱЧӴчӵЫӸыӹHḦhḧÕṎõṏŪṺūṻWẄwẅXẌxẍtẗ",
        ['\u0309'] = "AẢaảÂẨâẩĂẲăẳEẺeẻÊỂêểIỈiỉOỎoỏÔỔôổƠỞơởUỦuủƯỬưửYỶyỷ",
        ['\u030A'] = "AÅaåUŮuůwẘyẙ",
        ['\u030B'] = "OŐoőUŰuűУӲуӳ",
        ['\u030C'] = 
            "CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzžAǍaǎIǏiǐOǑoǒUǓuǔÜǙüǚGǦgǧ"
            + "KǨkǩƷǮʒǯjǰHȞhȟ",
        ['\u030F'] = "AȀaȁEȄeȅIȈiȉOȌoȍRȐrȑUȔuȕѴѶѵѷ",
        ['\u0311'] = "AȂaȃEȆeȇIȊiȋOȎoȏRȒrȓUȖuȗ",
        ['\u0313'] = "αἀΑἈεἐΕἘηἠΗἨιἰΙἸοὀΟὈυὐωὠΩὨρῤ",
        ['\u0314'] = "αἁΑἉεἑΕἙηἡΗἩιἱΙἹοὁΟὉυὑΥὙωὡΩὩρῥΡῬ",
        ['\u031B'] = "OƠoơUƯuư",
        ['\u0323'] = 
            "BḄbḅDḌdḍHḤhḥKḲkḳLḶlḷMṂmṃNṆnṇRṚrṛSṢsṣTṬtṭVṾvṿWẈwẉZẒzẓAẠaạEẸeẹ"
            + "IỊiịOỌoọƠỢơợUỤuụƯỰưựYỴyỵ",
        ['\u0324'] = "UṲuṳ",
        ['\u0325'] = "AḀaḁ",
        ['\u0326'] = "SȘsșTȚtț",
        ['\u0327'] = "CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţEȨeȩDḐdḑHḨhḩ",
        ['\u0328'] = "AĄaąEĘeęIĮiįUŲuųOǪoǫ",
        ['\u032D'] = "DḒdḓEḘeḙLḼlḽNṊnṋTṰtṱUṶuṷ",
        ['\u032E'] = "HḪhḫ",
        ['\u0330'] = "EḚeḛIḬiḭUṴuṵ",
        ['\u0331'] = "BḆbḇDḎdḏKḴkḵLḺlḻNṈnṉRṞrṟTṮtṯZẔzẕhẖ",
        ['\u0342'] = "ἀἆἁἇἈἎἉἏἠἦἡἧἨἮἩἯἰἶἱἷἸἾἹἿὐὖὑὗὙὟὠὦὡὧὨὮὩὯαᾶηῆιῖϊῗυῦϋῧωῶ",
        ['\u0345'] = 
            "ἀᾀἁᾁἂᾂἃᾃἄᾄἅᾅἆᾆἇᾇἈᾈἉᾉἊᾊἋᾋἌᾌἍᾍἎᾎἏᾏἠᾐἡᾑἢᾒἣᾓἤᾔἥᾕἦᾖἧᾗἨᾘἩᾙἪᾚἫᾛἬᾜἭᾝ"
            + "ἮᾞἯᾟὠᾠὡᾡὢᾢὣᾣὤᾤὥᾥὦᾦὧᾧὨᾨὩᾩὪᾪὫᾫὬᾬὭᾭὮᾮὯᾯὰᾲαᾳάᾴᾶᾷΑᾼὴῂηῃήῄῆῇΗῌὼῲωῳ"
            + "ώῴῶῷΩῼ",
        ['\u3099'] = 
            "かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズ"
            + "セゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ",
        ['\u309A'] = "はぱひぴふぷへぺほぽハパヒピフプヘペホポ",
    };

    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\u0000', '\u02FF'))
        {
            return text;
        }

        var composed = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            if (composed.Length > 0 && Compose(composed[^1], letter) is { } one)
            {
                composed[^1] = one;
            }
            else
            {
                composed.Append(letter);
            }
        }

        return composed.ToString();
    }

    /// <returns>Null if they do not compose.</returns>
    public static char? Compose(char letter, char accent)
    {
        if (s_accents.TryGetValue(accent, out var pairs))
        {
            for (var at = 0; at < pairs.Length; at += 2)
            {
                if (pairs[at] == letter)
                {
                    return pairs[at + 1];
                }
            }
        }

        return Hangul(letter, accent);
    }

    /// <summary>Computed: The Unicode Standard, section 3.12.</summary>
    private static char? Hangul(char first, char second) => (first, second) switch
    {
        (>= '\u1100' and <= '\u1112', >= '\u1161' and <= '\u1175') => (char)(0xAC00 + ((((first - 0x1100) * 21) + (second - 0x1161)) * 28)),
        (>= '\uAC00' and <= '\uD7A3', >= '\u11A8' and <= '\u11C2') when (first - 0xAC00) % 28 == 0 => (char)(first + (second - 0x11A7)),
        _ => null,
    };
}

public static class Clip
{
    /// <summary>Cuts to this many UTF-16 units, the "…" included. A character that a reader sees as one is never cut in two.</summary>
    public static string To(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = 0;
        while (end + StringInfo.GetNextTextElementLength(text.AsSpan(end)) is var next && next < length)
        {
            end = next;
        }

        return string.Concat(text.AsSpan(0, end), "…");
    }

    /// <summary>Keeps the end too, which is the telling part of an address.</summary>
    public static string Middle(string text, int length)
    {
        if (text.Length <= length)
        {
            return text;
        }

        var end = text.AsSpan(text.Length - (length / 2));
        return string.Concat(To(text, length - (length / 2)), char.IsLowSurrogate(end[0]) ? end[1..] : end);
    }
}

public static class MarkdownText
{
    private const string Blocks = " ▁▂▃▄▅▆▇█";

    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            _ = character switch
            {
                '<' => escaped.Append("&lt;"),
                '>' => escaped.Append("&gt;"),
                '&' => escaped.Append("&amp;"),
                '\n' or '\r' or '\t' or '\u2028' or '\u2029' => escaped.Append(' '),
                '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '~' or '#' or '!' => escaped.Append('\\').Append(character),
                _ => escaped.Append(character),
            };
        }

        // Otherwise addresses would become links.
        return escaped.Replace("://", "&#58;//").Replace("www.", "www&#46;").ToString();
    }

    /// <summary>From the lowest to the highest. Empty for fewer than two values.</summary>
    /// <param name="beside">The values of another line, for a common scale.</param>
    public static string Sparkline(IReadOnlyList<double> values, IReadOnlyList<double> beside)
    {
        var finite = values.Where(double.IsFinite).ToList();
        if (finite.Count < 2)
        {
            return "";
        }

        List<double> all = [.. finite, .. beside.Where(double.IsFinite)];
        var (low, high) = (all.Min(), all.Max());
        return string.Concat(values.Select(value => !double.IsFinite(value) ? Blocks[0] : Blocks[high > low ? 1 + (int)Math.Round((value - low) / (high - low) * 7) : 4]));
    }
}
