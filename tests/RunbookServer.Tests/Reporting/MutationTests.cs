using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Storage;
using RunbookServer.Hosting;
using RunbookServer.Commands;
using TestKit;
using YamlDotNet.RepresentationModel;

namespace RunbookServer.Tests.Reporting;

/// <summary>
/// A slip in a shipped runbook is seen: a key that is gone, misspelt or of another kind, a threshold that is a hundred times as
/// high. Either the validator says so, or the rendered page changes, which <see cref="RenderedPagesTests"/> compares.
/// </summary>
public sealed class MutationTests
{
    public static TheoryData<string> Shipped => RenderedPagesTests.Shipped;

    [Theory]
    [MemberData(nameof(Shipped))]
    public void EverySlip_IsSeen(string id)
    {
        using var services = OfflineServices.Build();
        var (reader, steps) = (services.GetRequiredService<RunbookReader>(), services.GetRequiredService<StepCatalog>());
        var folder = RepositoryRoot.Of("runbooks");
        var (text, samples) = (File.ReadAllText(Path.Combine(folder, $"{id}.yaml")), SampleFolder.Read(folder));
        var sound = reader.Read(id, Emit(Load(text)), samples: samples).Runbook!;
        var (page, count, unseen) = (new RunbookMarkdown(sound, steps).Write(), 0, new List<string>());
        for (var place = 0; ; place++)
        {
            if (Mutants(text, place) is not { } mutants)
            {
                break;
            }

            foreach (var (what, mutant) in mutants)
            {
                count++;
                var result = reader.Read(id, mutant, samples: samples);
                if (result is { Runbook: { } read, Warnings.Count: 0 } && !IsSame(read, sound) && new RunbookMarkdown(read, steps).Write() == page)
                {
                    unseen.Add(what);
                }
            }
        }

        unseen.ShouldBeEmpty();
        count.ShouldBeGreaterThan(60);
    }

    /// <returns>The mutants at one key of the file, counted through; null when there is no such key.</returns>
    private static List<(string What, string Text)>? Mutants(string text, int place)
    {
        var mutants = new List<(string, string)>();
        foreach (var (kind, mutate) in s_mutations)
        {
            var root = Load(text);
            if (Keys(root).ElementAtOrDefault(place) is not { Mapping: { } mapping } found)
            {
                return null;
            }

            if (mutate(mapping, found.Key))
            {
                mutants.Add(($"{kind} {found.Path}", Emit(root)));
            }
        }

        return mutants;
    }

    private static readonly (string Kind, Func<YamlMappingNode, YamlNode, bool> Mutate)[] s_mutations =
    [
        ("removed", (mapping, key) => mapping.Children.Remove(key)),
        ("misspelt", Misspell),
        ("retyped", (mapping, key) => Replace(mapping, key, mapping.Children[key] is YamlScalarNode scalar ? new YamlMappingNode(new YamlScalarNode("a"), new YamlScalarNode(scalar.Value)) : new YamlScalarNode("text"))),
        ("scaled", Scale),
    ];

    private static bool Misspell(YamlMappingNode mapping, YamlNode key)
    {
        var name = ((YamlScalarNode)key).Value!;
        var children = mapping.Children.ToList();
        mapping.Children.Clear();
        children.ForEach(child => mapping.Add(child.Key.Equals(key) ? new YamlScalarNode($"{name}x") : child.Key, child.Value));
        return true;
    }

    /// <summary>A threshold a hundred times as high: the slip between a share and a per cent.</summary>
    private static bool Scale(YamlMappingNode mapping, YamlNode key) =>
        mapping.Children[key] is YamlScalarNode { Value: { } value } && value.Split(' ') is [var sign, var number] && sign is ">" or "<" or ">=" or "<="
        && double.TryParse(number, CultureInfo.InvariantCulture, out var threshold) && threshold != 0
        && Replace(mapping, key, new YamlScalarNode($"{sign} {threshold * 100}") { Style = YamlDotNet.Core.ScalarStyle.DoubleQuoted });

    private static bool Replace(YamlMappingNode mapping, YamlNode key, YamlNode value)
    {
        mapping.Children[key] = value;
        return true;
    }

    private static IEnumerable<(YamlMappingNode Mapping, YamlNode Key, string Path)> Keys(YamlNode node, string path = "") => node switch
    {
        YamlMappingNode mapping => mapping.Children.SelectMany(child => Keys(child.Value, $"{path}.{child.Key}").Prepend((mapping, child.Key, $"{path}.{child.Key}"))),
        YamlSequenceNode list => list.Children.SelectMany((item, index) => Keys(item, $"{path}[{index}]")),
        _ => [],
    };

    private static YamlNode Load(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return yaml.Documents[0].RootNode;
    }

    private static string Emit(YamlNode root)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        return text.ToString().Replace("\n...", "", StringComparison.Ordinal);
    }

    private static bool IsSame(Runbook one, Runbook other) =>
        JsonSerializer.Serialize(one with { Hash = "" }) == JsonSerializer.Serialize(other with { Hash = "" });
}
