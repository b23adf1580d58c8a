using System.Text.Json.Nodes;
using CsCheck;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Model;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Tests.Engine;

public sealed class DurableJsonTests
{
    public static TheoryData<Type> Documents => [typeof(Incident), typeof(Runbook), typeof(IncidentSummary), typeof(IncidentInput), typeof(IncidentStatus)];

    [Fact]
    public void AnyIncident_ComesBackAsItWas() => ComesBack<Incident>();

    [Fact]
    public void AnyRunbook_ComesBackAsItWas() => ComesBack<Runbook>();

    [Fact]
    public void AnySummary_ComesBackAsItWas() => ComesBack<IncidentSummary>();

    [Theory]
    [MemberData(nameof(Documents))]
    public void EveryMemberOfEveryRecordInside_IsWrittenAndRead(Type document)
    {
        var seen = new HashSet<Type>();
        Walk(document);
        seen.ShouldContain(document);

        void Walk(Type type)
        {
            var item = type.IsGenericType ? type.GenericTypeArguments[^1] : type;
            if (item.Namespace?.StartsWith("Runbooks", StringComparison.Ordinal) != true || item.IsEnum || !seen.Add(item))
            {
                return;
            }

            var known = DurableJson.Options.GetTypeInfo(item).Properties.Where(p => p.Get is not null).Select(p => p.Name);
            foreach (var member in ArbitraryRecord.Members(item))
            {
                known.ShouldContain(ArbitraryRecord.NameOf(member), $"{item}.{member.Name}");
                Walk(member.PropertyType);
            }
        }
    }

    /// <summary>What a later version has added to any part of a record is there after this one has changed another part of it.</summary>
    [Theory]
    [InlineData(typeof(Incident))]
    [InlineData(typeof(KillSwitchState))]
    [InlineData(typeof(RunHistory))]
    public void EveryPartOfADocumentOfManyVersions_KeepsWhatALaterOneWrote(Type document)
    {
        // A publication is as a container outside has it: nothing unknown of that comes in.
        var seen = new HashSet<Type> { typeof(Publication) };
        Walk(document);

        void Walk(Type type)
        {
            var item = type.IsGenericType ? type.GenericTypeArguments[^1] : type;
            if (item.Namespace?.StartsWith("Runbooks", StringComparison.Ordinal) == true && !item.IsEnum && seen.Add(item))
            {
                item.BaseType.ShouldBe(typeof(Evolving), $"{item}");
                ArbitraryRecord.Members(item).ToList().ForEach(member => Walk(member.PropertyType));
            }
        }
    }

    [Fact]
    public void WhatALaterVersionWrote_IsKeptAndNothingElse()
    {
        var incident = Some.Incident() with { Gates = [Some.Gate()], Attention = new(Some.Time, "why") };
        var json = JsonNode.Parse(DurableJson.Write(incident))!;
        DurableJson.Read<Incident>(json.ToJsonString())!.ShouldSatisfyAllConditions(
            read => read.Later.ShouldBeNull(), read => read.Alert.Later.ShouldBeNull(), read => read.Gates[0].Later.ShouldBeNull(), read => read.Attention!.Later.ShouldBeNull());

        json["ofALaterVersion"] = 1;
        json["gates"]![0]!["ofALaterVersion"] = new JsonObject { ["at"] = "10:50" };
        json["attention"]!["ofALaterVersion"] = true;
        var before = json.ToJsonString();
        var read = DurableJson.Read<Incident>(before)!;
        var changed = read with { Reason = "else", Gates = [read.Gates[0] with { Question = "other" }] };

        json["reason"] = "else";
        json["gates"]![0]!["question"] = "other";
        JsonNode.DeepEquals(JsonNode.Parse(DurableJson.Write(changed)), json).ShouldBeTrue();
        DurableJson.Read<Incident>(before)!.Attention.ShouldBe(read.Attention, "it is the same in all that this version knows");
    }

    [Fact]
    public void WhatHtmlCouldMisread_IsEscaped() =>
        DurableJson.Write("</script>&'").ShouldBe("\"\\u003C/script\\u003E\\u0026\\u0027\"");

    [Fact]
    public void Enums_AreWrittenAsCamelCaseWords() => DurableJson.Write(IncidentState.AwaitingApproval).ShouldBe("\"awaitingApproval\"");

    private static void ComesBack<T>() => Gen.Int.Sample(seed =>
    {
        var record = new ArbitraryRecord(seed).Make<T>();
        var written = DurableJson.Write(record);
        var read = DurableJson.Read<T>(written);
        return DurableJson.Write(read) == written && SameMembers(JsonNode.Parse(written), record!);
    }, iter: 300);

    // That the second writing equals the first says nothing of a member that is never written: each is looked for.
    private static bool SameMembers(JsonNode? json, object record) =>
        ArbitraryRecord.Members(record.GetType()).All(member =>
            member.GetValue(record) is null == (json![ArbitraryRecord.NameOf(member)] is null));
}
