using System.Text.Json;
using LoadDriver;

// Drives the built RunbookServer over HTTP as senders and people do, on a data folder of its own, and prints what it measured: a
// table for people on the error output, and the same as JSON on the standard output. docs/performance.md says what each mode shows.
var server = args.SkipWhile(arg => arg != "--server").Skip(1).FirstOrDefault() ?? Host.Built();
var numbers = args.Where(arg => int.TryParse(arg, out _)).Select(arg => int.Parse(arg, System.Globalization.CultureInfo.InvariantCulture)).ToList();
var load = Machine.Load();
object measured;
switch (args.FirstOrDefault())
{
    case "load":
        measured = await Load.MeasureAsync(server, Number(0, 1_000), Number(1, 2_000), Number(2, 5_000));
        break;
    case "restate":
        measured = await Comparison.MeasureAsync(server, Number(0, 2_000));
        break;
    case "growth":
        measured = await Growth.MeasureAsync(server, Number(0, 100));
        break;
    case "burst":
        measured = await Burst.MeasureAsync(server, Number(0, 80));
        break;
    default:
        Console.Error.WriteLine("""
            LoadDriver load [INCIDENTS] [ALERTS] [WAITING]   whole incidents, alerts on one target and on many, waiting incidents, pages
            LoadDriver restate [INCIDENTS]                   the same story here and on Restate, at 1, 50 and 200 at once
            LoadDriver growth [PERCENT]                      what grows with what: waiting incidents, alerts on one target, runbooks, steps of a story
            LoadDriver burst [ALERTS]                        many alerts in one post, on the storage account of RUNBOOK_Storage__ConnectionString
                       --server FILE                         another built runbook.dll
            """);
        return 2;
}

Console.WriteLine(JsonSerializer.Serialize(new { machine = Machine.Name, loadBefore = load, server, measured }, new JsonSerializerOptions { WriteIndented = true }));
return 0;

int Number(int place, int usual) => numbers.Count > place ? numbers[place] : usual;
